import { describe, expect, test } from "@odoo/hoot";
import { findDeskMethod, findNeighbour } from "@oms_base/review_desk/review_desk_keys";

describe.current.tags("headless");

const press = (key, values = {}) => ({ key, target: document.createElement("div"), ...values });

test("keys ask for their method", () => {
    expect(findDeskMethod(press("j"))).toBe("openNext");
    expect(findDeskMethod(press("ArrowUp"))).toBe("openPrevious");
    expect(findDeskMethod(press("r"))).toBe("release");
    expect(findDeskMethod(press("R"))).toBe("releaseSelected");
    expect(findDeskMethod(press("c"))).toBe("toggleAddressForm");
    expect(findDeskMethod(press("C"))).toBe("correctSelected");
    expect(findDeskMethod(press("S"))).toBe("splitSelected");
    expect(findDeskMethod(press("A"))).toBe("askSelected");
    expect(findDeskMethod(press("z"))).toBe(undefined);
});

test("keys rest while somebody types, and leave the browser its own", () => {
    for (const tag of ["input", "textarea", "select"]) {
        expect(findDeskMethod(press("r", { target: document.createElement(tag) }))).toBe(undefined);
    }
    expect(findDeskMethod(press("r", { ctrlKey: true }))).toBe(undefined);
    expect(findDeskMethod(press("r", { metaKey: true }))).toBe(undefined);
});

test("another addon's keys work beside ours", () => {
    const split = { name: "action_oms_open_split" };
    expect(findDeskMethod(press("s"), [{ keys: ["s"], method: split }])).toBe(split);
});

test("after settling, the next case that stays is opened", () => {
    const cases = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }];
    expect(findNeighbour(cases, [2], 2)).toBe(3);
    expect(findNeighbour(cases, [2, 3], 2)).toBe(4);
    expect(findNeighbour(cases, [4], 4)).toBe(3);
    expect(findNeighbour(cases, [3, 4], 3)).toBe(2);
    expect(findNeighbour(cases, [], 3)).toBe(3);
    expect(findNeighbour(cases, [1, 2, 3, 4], 2)).toBe(undefined);
});
