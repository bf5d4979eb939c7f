import { _t } from "@web/core/l10n/translation";

/** What each key does on the desk: the name of a method of the desk, and the words of the help. */
export const DESK_KEYS = [
    { keys: ["j", "ArrowDown"], label: "j ↓", method: "openNext", help: _t("Next case") },
    { keys: ["k", "ArrowUp"], label: "k ↑", method: "openPrevious", help: _t("Previous case") },
    { keys: ["r"], label: "r", method: "release", help: _t("Release, or approve the next step") },
    {
        keys: ["m"],
        label: "m",
        method: "focusComment",
        help: _t("Write a comment; Ctrl+Enter releases with it"),
    },
    { keys: ["c"], label: "c", method: "toggleAddressForm", help: _t("Correct the address") },
    { keys: ["x"], label: "x", method: "toggleCurrent", help: _t("Select the case") },
    {
        keys: ["R"],
        label: "Shift r",
        method: "releaseSelected",
        help: _t("Release the selected cases"),
    },
    {
        keys: ["C"],
        label: "Shift c",
        method: "correctSelected",
        help: _t("Correct the selected cases"),
    },
    {
        keys: ["S"],
        label: "Shift s",
        method: "splitSelected",
        help: _t("Split the selected cases"),
    },
    {
        keys: ["A"],
        label: "Shift a",
        method: "askSelected",
        help: _t("Ask the buyers of the selected cases"),
    },
    { keys: ["t"], label: "t", method: "assignCurrent", help: _t("Make it my case") },
    { keys: ["a"], label: "a", method: "askBuyer", help: _t("Ask the buyer") },
    { keys: ["o"], label: "o", method: "openOrder", help: _t("Open the order") },
    { keys: ["?"], label: "?", method: "toggleHelp", help: _t("Show the keys") },
];

const TYPING = "input, textarea, select, [contenteditable=true]";

/** The method a key press asks for, or undefined: not while somebody types, and not for the browser's own shortcuts. */
export function findDeskMethod(event, furtherKeys = []) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target?.closest?.(TYPING)) {
        return undefined;
    }
    return [...DESK_KEYS, ...furtherKeys].find((entry) => entry.keys.includes(event.key))?.method;
}

/** The id that is opened after `ids` are settled: the next one that stays, else the last one before. */
export function findNeighbour(cases, settledIds, currentId) {
    const position = Math.max(
        0,
        cases.findIndex((item) => item.id === currentId)
    );
    const stays = (item) => !settledIds.includes(item.id);
    return (cases.slice(position).find(stays) || cases.slice(0, position).findLast(stays))?.id;
}
