import { browser } from "@web/core/browser/browser";

/** [frequency in Hz, start in s, length in s, wave] of each tone; told apart without looking. */
const TONES = {
    success: [[1480, 0, 0.09, "sine"]],
    complete: [
        [1175, 0, 0.09, "sine"],
        [1760, 0.11, 0.16, "sine"],
    ],
    info: [[880, 0, 0.08, "sine"]],
    warning: [
        [620, 0, 0.12, "triangle"],
        [620, 0.18, 0.12, "triangle"],
    ],
    danger: [
        [190, 0, 0.28, "square"],
        [140, 0.3, 0.38, "square"],
    ],
};
const VIBRATIONS = {
    success: [40],
    complete: [40, 50, 90],
    info: [25],
    warning: [90, 70, 90],
    danger: [320, 110, 320],
};
const COMPLETE = [
    "line_done",
    "pick_done",
    "check_done",
    "labelled",
    "shipped",
    "finished",
    "backorder",
];
const STORAGE_KEY = "oms_scan.muted";

/** Tells the operator by ear and hand how a scan went. */
export class ScanFeedback {
    constructor() {
        this.muted = browser.localStorage.getItem(STORAGE_KEY) === "1";
    }

    toggle() {
        this.muted = !this.muted;
        browser.localStorage.setItem(STORAGE_KEY, this.muted ? "1" : "0");
    }

    /** @param {Object} message {code, level} as the server sends it */
    give(message) {
        // browsers allow sound and vibration after the first touch or key
        if (!message || browser.navigator.userActivation?.hasBeenActive === false) {
            return;
        }
        const kind = COMPLETE.includes(message.code) ? "complete" : message.level;
        browser.navigator.vibrate?.(VIBRATIONS[kind]);
        if (!this.muted) {
            this.play(TONES[kind]);
        }
    }

    play(tones) {
        if (!browser.AudioContext) {
            return;
        }
        this.audio ||= new browser.AudioContext();
        if (this.audio.state === "suspended") {
            this.audio.resume();
        }
        for (const [frequency, start, length, wave] of tones) {
            const oscillator = this.audio.createOscillator();
            const gain = this.audio.createGain();
            const begin = this.audio.currentTime + start;
            oscillator.type = wave;
            oscillator.frequency.value = frequency;
            gain.gain.setValueAtTime(wave === "square" ? 0.25 : 0.5, begin);
            gain.gain.exponentialRampToValueAtTime(0.001, begin + length);
            oscillator.connect(gain).connect(this.audio.destination);
            oscillator.start(begin);
            oscillator.stop(begin + length);
        }
    }
}
