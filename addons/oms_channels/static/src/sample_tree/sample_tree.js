import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { getExpression } from "./sample_path";

const OPEN_DEPTH = 1;
const MAX_ROWS = 200;
const MAX_SHOWN = 60;

/** One key of the sample and what is below it. */
export class SampleNode extends Component {
    static template = "oms_channels.SampleNode";
    static components = { SampleNode };
    static props = { label: String, value: true, path: Array, onPick: Function };

    setup() {
        this.state = useState({ isOpen: this.props.path.length <= OPEN_DEPTH });
    }

    get isBranch() {
        return typeof this.props.value === "object" && this.props.value !== null;
    }

    get children() {
        const { value, path } = this.props;
        const entries = Array.isArray(value)
            ? value.map((one, index) => [index, one])
            : Object.entries(value);
        return entries
            .slice(0, MAX_ROWS)
            .map(([key, one]) => ({ key, label: String(key), value: one, path: [...path, key] }));
    }

    get summary() {
        const { value } = this.props;
        if (Array.isArray(value)) {
            return `[${value.length}]`;
        }
        if (this.isBranch) {
            return "";
        }
        const text = typeof value === "string" ? value : JSON.stringify(value);
        return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
    }

    toggle() {
        this.state.isOpen = !this.state.isOpen;
    }
}

/** A raw order as a tree: clicking a key puts its path into the chosen line of the mapping. */
export class SampleTree extends Component {
    static template = "oms_channels.SampleTree";
    static components = { SampleNode };
    static props = { ...standardFieldProps, rows: String };

    setup() {
        this.state = useState({ chosen: "", isPasting: false, text: "", error: "" });
        this.pick = this.pick.bind(this);
    }

    get text() {
        return this.props.record.data[this.props.name];
    }

    get entries() {
        try {
            return Object.entries(JSON.parse(this.text));
        } catch {
            return [];
        }
    }

    get list() {
        return this.props.record.data[this.props.rows];
    }

    get rows() {
        const labels = Object.fromEntries(this.list.fields.target.selection);
        return this.list.records.map((record) => ({
            id: record.id,
            record,
            label: labels[record.data.target] || "",
        }));
    }

    get chosenRow() {
        return this.rows.find((row) => row.id === this.state.chosen);
    }

    /** The line that is being edited is the chosen one. Read before the click: clicking elsewhere ends the editing. */
    onMouseDown() {
        const edited = this.list.editedRecord;
        if (edited) {
            this.state.chosen = edited.id;
        }
    }

    async pick(path) {
        const row = this.chosenRow;
        if (!row) {
            this.state.error = _t("Choose first which line of the mapping to fill.");
            return;
        }
        this.state.error = "";
        const find = (target) =>
            this.list.records.find((record) => record.data.target === target)?.data.expression;
        await row.record.update({ expression: getExpression(path, row.record.data.target, find) });
    }

    startPasting() {
        Object.assign(this.state, { isPasting: true, text: this.text || "", error: "" });
    }

    async paste() {
        try {
            const value = JSON.parse(this.state.text);
            if (typeof value !== "object" || value === null || Array.isArray(value)) {
                throw new Error(_t("The sample is one object between { and }."));
            }
            await this.props.record.update({ [this.props.name]: JSON.stringify(value, null, 2) });
            Object.assign(this.state, { isPasting: false, error: "" });
        } catch (error) {
            this.state.error = _t("This is no JSON: %s", error.message);
        }
    }
}

registry.category("fields").add("oms_sample_tree", {
    component: SampleTree,
    displayName: _t("Sample as a Tree"),
    supportedTypes: ["text"],
    extractProps: ({ options }) => ({ rows: options.rows }),
});
