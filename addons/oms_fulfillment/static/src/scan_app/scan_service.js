import { browser } from "@web/core/browser/browser";
import { ConnectionLostError, rpc } from "@web/core/network/rpc";
import { user } from "@web/core/user";
import { ScanQueue } from "./scan_queue";

const ANSWER_TIMEOUT_MS = 15000;

/** Send one call of the queue. A lost or silent connection asks for a repetition. */
export async function sendCall(call) {
    const { method, args, uuid } = call;
    const request = rpc(
        `/web/dataset/call_kw/oms.scan.session/${method}`,
        {
            model: "oms.scan.session",
            method,
            args: [],
            kwargs: { ...args, uuid, context: user.context },
        },
        { silent: true }
    );
    let timer;
    const silence = new Promise((resolve, reject) => {
        timer = browser.setTimeout(() => {
            reject(new ConnectionLostError());
            request.abort(false);
        }, ANSWER_TIMEOUT_MS);
    });
    try {
        return await Promise.race([request, silence]);
    } catch (error) {
        error.retry = error instanceof ConnectionLostError;
        throw error;
    } finally {
        browser.clearTimeout(timer);
    }
}

function makeUuid() {
    // crypto.randomUUID is missing on plain http, which warehouses use
    const bytes = window.crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function makeStore() {
    const key = `oms_scan.calls.${user.userId}`;
    return {
        load() {
            try {
                return JSON.parse(browser.localStorage.getItem(key)) || [];
            } catch {
                return [];
            }
        },
        save(calls) {
            if (calls.length) {
                browser.localStorage.setItem(key, JSON.stringify(calls));
            } else {
                browser.localStorage.removeItem(key);
            }
        },
    };
}

export function makeScanQueue(callbacks) {
    return new ScanQueue({
        send: sendCall,
        wait: (ms) => new Promise((resolve) => browser.setTimeout(resolve, ms)),
        makeUuid,
        now: () => Date.now(),
        store: makeStore(),
        ...callbacks,
    });
}
