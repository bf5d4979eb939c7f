import { formatDate, deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatFloat } from "@web/core/utils/numbers";

/** 3, not 3.000; 1.5 where pieces are not whole. */
export function formatPieces(value) {
    return formatFloat(value || 0, { digits: [false, 3], trailingZeros: false });
}

/** "5 pieces": a count in words. */
export function countPieces(value) {
    return _t("%s pieces", formatPieces(value));
}

export function formatWeight(value) {
    return _t("%s kg", formatFloat(value || 0, { digits: [false, 3] }));
}

export function formatExpiry(value) {
    return value ? formatDate(deserializeDate(value)) : "";
}

/** Done in percent of what is to do, for bars. */
export function getShare(done, todo) {
    return todo ? Math.min(100, Math.round((100 * done) / todo)) : 0;
}
