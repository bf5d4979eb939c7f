/**
 * Calls to the server, one after the other, each with a uuid of its own. A call that gets no answer is repeated with
 * the same uuid until it gets one: the server does nothing twice. What waits survives a reload of the page.
 */
export class ScanQueue {
    /**
     * @param {Object} options
     * @param {(call: Object) => Promise<Object>} options.send sends one call; rejects with `retry: true` on the error
     *     when the call should be repeated
     * @param {(call: Object) => Object} options.bind arguments that are only known when the call is sent at first
     * @param {(answer: Object) => void} options.onAnswer
     * @param {(error: Error) => void} options.onError a call the server could not handle; it is dropped
     * @param {() => void} [options.onChange] length or offline have changed
     * @param {(ms: number) => Promise<void>} options.wait
     * @param {() => string} options.makeUuid
     * @param {() => number} options.now
     * @param {Object} options.store {load(), save(calls)}
     */
    constructor(options) {
        this.options = { onChange: () => {}, ...options };
        this.calls = options.store.load().filter((call) => options.now() - call.time < MAX_AGE_MS);
        this.offline = false;
        this.running = false;
    }

    get length() {
        return this.calls.length;
    }

    /** @param {boolean} bound whether the call is only meant for the transfer that is open when it is sent */
    push(method, args = {}, bound = true) {
        this.calls.push({
            uuid: this.options.makeUuid(),
            method,
            args,
            bound,
            time: this.options.now(),
        });
        this.changed();
        return this.run();
    }

    async run() {
        if (this.running) {
            return;
        }
        this.running = true;
        let failures = 0;
        while (this.calls.length) {
            const call = this.calls[0];
            if (!call.sent) {
                call.sent = true;
                call.args = { ...call.args, ...this.options.bind(call) };
                this.changed();
            }
            try {
                const answer = await this.options.send(call);
                this.calls.shift();
                failures = 0;
                this.setOffline(false);
                this.options.onAnswer(answer, call);
            } catch (error) {
                if (!error.retry) {
                    this.calls.shift();
                    this.setOffline(false);
                    this.options.onError(error, call);
                    continue;
                }
                this.setOffline(true);
                await this.options.wait(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++));
            }
        }
        this.running = false;
        this.changed();
    }

    setOffline(offline) {
        this.offline = offline;
        this.changed();
    }

    changed() {
        this.options.store.save(this.calls);
        this.options.onChange();
    }
}

export const MAX_AGE_MS = 10 * 60 * 1000; // nobody remembers what was scanned longer ago
const FIRST_WAIT_MS = 400;
const MAX_WAIT_MS = 5000;
