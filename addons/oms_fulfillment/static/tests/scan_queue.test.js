import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { MAX_AGE_MS, ScanQueue } from "@oms_fulfillment/scan_app/scan_queue";

describe.current.tags("headless");

let stored;
let clock;

beforeEach(() => {
    stored = [];
    clock = 0;
});

function makeQueue(send, options = {}) {
    let counter = 0;
    return new ScanQueue({
        send,
        bind: () => ({}),
        onAnswer: (answer) => expect.step(`answer ${answer}`),
        onError: (error) => expect.step(`error ${error.message}`),
        wait: async (ms) => expect.step(`wait ${ms}`),
        makeUuid: () => `uuid-${++counter}`,
        now: () => clock,
        store: {
            load: () => stored,
            save: (calls) => (stored = JSON.parse(JSON.stringify(calls))),
        },
        ...options,
    });
}

function lost() {
    return Object.assign(new Error("lost"), { retry: true });
}

test("calls are sent one after the other, in order", async () => {
    let running = 0;
    const queue = makeQueue(async (call) => {
        expect(++running).toBe(1);
        await Promise.resolve();
        running--;
        return call.args.barcode;
    });
    queue.push("scan_barcode", { barcode: "a" });
    queue.push("scan_barcode", { barcode: "b" });
    await queue.push("scan_barcode", { barcode: "c" });
    await new Promise((resolve) => setTimeout(resolve));
    expect.verifySteps(["answer a", "answer b", "answer c"]);
    expect(queue.length).toBe(0);
});

test("a lost connection repeats the call with the same uuid", async () => {
    let tries = 0;
    const uuids = [];
    const queue = makeQueue(async (call) => {
        uuids.push(call.uuid);
        if (++tries < 4) {
            throw lost();
        }
        return "done";
    });
    await queue.push("scan_barcode");
    expect(uuids).toEqual(["uuid-1", "uuid-1", "uuid-1", "uuid-1"]);
    expect.verifySteps(["wait 400", "wait 800", "wait 1600", "answer done"]);
    expect(queue.offline).toBe(false);
});

test("being offline is told, and scans go on waiting", async () => {
    let online = false;
    const queue = makeQueue(
        async (call) => {
            if (!online) {
                throw lost();
            }
            return call.args.barcode;
        },
        {
            wait: async () => {
                expect(queue.offline).toBe(true);
                if (queue.length === 1) {
                    queue.push("scan_barcode", { barcode: "b" });
                } else {
                    online = true;
                }
            },
        }
    );
    await queue.push("scan_barcode", { barcode: "a" });
    expect.verifySteps(["answer a", "answer b"]);
    expect(queue.offline).toBe(false);
});

test("what the server cannot handle is dropped and told, the next call goes on", async () => {
    const queue = makeQueue(async (call) => {
        if (call.args.barcode === "a") {
            throw new Error("crash");
        }
        return call.args.barcode;
    });
    queue.push("scan_barcode", { barcode: "a" });
    await queue.push("scan_barcode", { barcode: "b" });
    await new Promise((resolve) => setTimeout(resolve));
    expect.verifySteps(["error crash", "answer b"]);
});

test("late arguments are bound once, when the call is sent at first", async () => {
    let transfer = 1;
    let tries = 0;
    const sent = [];
    const queue = makeQueue(
        async (call) => {
            sent.push(call.args.picking_id);
            transfer++;
            if (!tries++) {
                throw lost();
            }
            return "done";
        },
        { bind: () => ({ picking_id: transfer }) }
    );
    await queue.push("scan_barcode");
    await queue.push("scan_barcode");
    expect(sent).toEqual([1, 1, 3]);
    expect.verifySteps(["wait 400", "answer done", "answer done"]);
});

test("calls that waited survive a reload, old ones do not", async () => {
    clock = MAX_AGE_MS + 10;
    stored = [
        { uuid: "old", method: "scan_barcode", args: {}, time: 0 },
        { uuid: "kept", method: "scan_barcode", args: {}, time: clock - 5, sent: true },
    ];
    const uuids = [];
    const queue = makeQueue(async (call) => {
        uuids.push(call.uuid);
        return call.method;
    });
    await queue.push("scan_start");
    expect(uuids).toEqual(["kept", "uuid-1"]);
    expect(stored).toEqual([]);
    expect.verifySteps(["answer scan_barcode", "answer scan_start"]);
});
