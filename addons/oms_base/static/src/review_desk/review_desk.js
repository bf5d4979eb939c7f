import {
    Component,
    onWillStart,
    onWillUnmount,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { CaseDetails } from "./case_details/case_details";
import { ReasonDialog } from "./reason_dialog/reason_dialog";
import { DESK_KEYS, findDeskMethod, findNeighbour } from "./review_desk_keys";

const REFRESH_MS = 30000;
const PAGE_SIZE = 40; // as the desk gives them
const MODEL = "oms.review.desk";

export class OmsReviewDesk extends Component {
    static template = "oms_base.ReviewDesk";
    static components = { CaseDetails, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.root = useRef("root");
        this.keys = DESK_KEYS;
        this.display = { controlPanel: {} };
        const kept = this.props.state || {}; // who comes back from an order goes on with the same case
        this.state = useState({
            scope: kept.scope || "all",
            scopes: {},
            queues: [],
            total: 0,
            queueId: kept.queueId || false,
            queueName: kept.queueName || "",
            cases: [],
            count: 0,
            selected: [],
            current: null,
            comment: "",
            isCorrecting: false,
            isHelpOpen: false,
            isBusy: false,
            results: [],
            pane: "cases", // which column a phone shows
        });
        useSetupAction({ getLocalState: () => this.getPlace() });
        onWillStart(() => this.load(kept.caseId));
        useExternalListener(window, "keydown", (event) => this.onKeydown(event));
        useExternalListener(window, "focus", () => this.refresh());
        const timer = setInterval(() => this.refresh(), REFRESH_MS);
        onWillUnmount(() => clearInterval(timer));
    }

    getPlace() {
        const { scope, queueId, queueName, current } = this.state;
        return { scope, queueId, queueName, caseId: current?.id };
    }

    // --- Reading ---

    get scopeLabels() {
        return { all: _t("All"), mine: _t("Mine"), escalated: _t("Escalated") };
    }

    /** The name of the open queue, also when its last case was just settled. */
    get queueName() {
        return this.state.queueId ? this.state.queueName : _t("All cases");
    }

    age(date) {
        return date ? deserializeDateTime(date).toRelative() : "";
    }

    isSelected(id) {
        return this.state.selected.includes(id);
    }

    /** Read queues and cases, and open a case: the given one, else the one that was open, else the first. */
    async load(caseId) {
        await Promise.all([this.loadQueues(), this.loadCases()]);
        const wanted = caseId || this.state.current?.id;
        const id = this.state.cases.some((item) => item.id === wanted)
            ? wanted
            : this.state.cases[0]?.id;
        await this.loadCase(id);
    }

    /** Show what came and went since, without taking the open case away from who works on it. */
    async refresh() {
        if (this.state.isBusy || this.state.cases.length > PAGE_SIZE) {
            return this.loadQueues();
        }
        await Promise.all([this.loadQueues(), this.loadCases()]);
        if (!this.state.current && this.state.cases.length) {
            await this.loadCase(this.state.cases[0].id);
        }
    }

    async loadQueues() {
        const answer = await this.orm.silent.call(MODEL, "get_queues", [this.state.scope]);
        this.state.queues = answer.queues;
        this.state.total = answer.count;
        this.state.scopes = answer.scopes;
    }

    async loadCases() {
        const reading = (this.reading = {});
        const page = await this.readCases(0);
        if (this.reading !== reading) {
            return; // another queue was opened while this one was read
        }
        this.state.cases = page.cases;
        this.state.count = page.count;
        const ids = page.cases.map((item) => item.id);
        this.state.selected = this.state.selected.filter((id) => ids.includes(id));
    }

    async loadMore() {
        const page = await this.readCases(this.state.cases.length);
        const known = this.state.cases.map((item) => item.id);
        this.state.cases.push(...page.cases.filter((item) => !known.includes(item.id)));
        this.state.count = page.count;
    }

    readCases(offset) {
        const { queueId, scope } = this.state;
        return this.orm.silent.call(MODEL, "get_cases", [queueId, scope, offset]);
    }

    async loadCase(id) {
        this.wantedId = id;
        const current = id ? await this.orm.silent.call(MODEL, "get_case", [id]) : null;
        if (this.wantedId !== id) {
            return; // the reviewer has gone on while this one was read
        }
        const isOther = current?.id !== this.state.current?.id;
        this.state.current = current || null;
        if (isOther) {
            this.state.comment = current?.comment || "";
            this.state.isCorrecting = false;
        }
    }

    // --- Moving about ---

    async setScope(scope) {
        Object.assign(this.state, { scope, queueId: false, selected: [] });
        await this.load();
    }

    async openQueue(queue) {
        Object.assign(this.state, {
            queueId: queue ? queue.id : false,
            queueName: queue ? queue.name : "",
            selected: [],
            pane: "cases",
        });
        await this.load();
    }

    async openCase(id) {
        this.state.pane = "case";
        await this.loadCase(id);
    }

    openNext() {
        return this.move(1);
    }

    openPrevious() {
        return this.move(-1);
    }

    async move(step) {
        const { cases } = this.state;
        const wanted = this.wantedId || this.state.current?.id;
        const position = cases.findIndex((item) => item.id === wanted);
        const next = cases[position + step];
        if (next) {
            await this.loadCase(next.id);
            this.root.el?.querySelector(".o_oms_case.active")?.scrollIntoView({ block: "nearest" });
        }
    }

    toggleSelected(id) {
        const { selected } = this.state;
        this.state.selected = selected.includes(id)
            ? selected.filter((other) => other !== id)
            : [...selected, id];
    }

    toggleCurrent() {
        if (this.state.current) {
            this.toggleSelected(this.state.current.id);
        }
    }

    toggleAll() {
        const ids = this.state.cases.map((item) => item.id);
        this.state.selected = this.state.selected.length === ids.length ? [] : ids;
    }

    toggleHelp() {
        this.state.isHelpOpen = !this.state.isHelpOpen;
    }

    toggleAddressForm() {
        if (this.state.current) {
            this.state.isCorrecting = !this.state.isCorrecting;
        }
    }

    focusComment() {
        this.root.el?.querySelector(".o_oms_comment textarea")?.focus();
    }

    /** Keys work on the desk itself: not in a dialog, and not while somebody types. */
    onKeydown(event) {
        if (this.ui.activeElement !== document) {
            return;
        }
        if (event.key === "Escape" && this.state.isHelpOpen) {
            return this.toggleHelp();
        }
        const actions = this.state.current?.actions || [];
        const further = actions
            .filter((action) => action.hotkey)
            .map((action) => ({ keys: [action.hotkey], method: action }));
        const method = findDeskMethod(event, further);
        if (method) {
            event.preventDefault();
            return typeof method === "string" ? this[method]() : this.runAction(method);
        }
    }

    onCommentKeydown(event) {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            return this.release();
        }
        if (event.key === "Escape") {
            event.target.blur();
        }
    }

    // --- Settling ---

    /** Call one method of the desk at a time: a key that is pressed twice does its work once. */
    async work(method, args) {
        if (this.state.isBusy) {
            return null;
        }
        this.state.isBusy = true;
        try {
            return await this.orm.call(MODEL, method, args);
        } finally {
            this.state.isBusy = false;
        }
    }

    async release() {
        const { current } = this.state;
        if (!current) {
            return;
        }
        const answers = await this.work("release", [[current.id], this.state.comment.trim()]);
        if (!answers) {
            return;
        }
        if (!answers[0].ok) {
            this.notification.add(answers[0].message, { type: "danger" });
            return current.needs_comment && !this.state.comment.trim()
                ? this.focusComment()
                : this.load();
        }
        this.notification.add(`${answers[0].name}: ${answers[0].message}`, { type: "success" });
        await this.goOn([current.id]);
    }

    /** Open the case after the settled ones; what is still held (another step has to be approved) stays in the list. */
    async goOn(settledIds) {
        const nextId = findNeighbour(this.state.cases, settledIds, this.state.current?.id);
        this.state.comment = "";
        await this.load(nextId);
    }

    releaseSelected() {
        const ids = [...this.state.selected];
        if (!ids.length) {
            return;
        }
        this.dialog.add(ReasonDialog, {
            title: _t("Release %s cases", ids.length),
            label: _t("Comment, kept with each hold"),
            button: _t("Release"),
            confirm: (comment) => this.runBulk("release", ids, [comment]),
        });
    }

    cancelSelected() {
        this.askReasonToCancel([...this.state.selected]);
    }

    cancelCurrent() {
        this.askReasonToCancel([this.state.current.id]);
    }

    askReasonToCancel(ids) {
        this.dialog.add(ReasonDialog, {
            title: ids.length > 1 ? _t("Cancel %s orders", ids.length) : _t("Cancel the order"),
            label: _t("Reason"),
            button: _t("Cancel the order"),
            isRequired: true,
            confirm: (reason) => this.runBulk("cancel", ids, [reason]),
        });
    }

    askSelected() {
        const ids = [...this.state.selected];
        if (!ids.length) {
            return;
        }
        this.dialog.add(ReasonDialog, {
            title: _t("Ask the buyers of %s orders", ids.length),
            label: _t("Question, sent to each buyer by mail"),
            button: _t("Send"),
            isRequired: true,
            confirm: (question) => this.runBulk("ask", ids, [question]),
        });
    }

    correctSelected() {
        return this.openWizard("open_correction");
    }

    splitSelected() {
        return this.openWizard("open_split");
    }

    /** Open what asks how the selected cases are treated, and show what became of each. */
    async openWizard(method) {
        const ids = [...this.state.selected];
        const action = ids.length && (await this.work(method, [ids]));
        if (action) {
            const onClose = (infos) => {
                if (infos?.answers) {
                    this.showAnswers(infos.answers); // not awaited: the dialog would stay until all is read
                }
            };
            this.action.doAction(action, { onClose });
        }
    }

    assignSelected() {
        return this.runBulk("assign", [...this.state.selected], []);
    }

    assignCurrent() {
        return this.state.current && this.runBulk("assign", [this.state.current.id], []);
    }

    async runBulk(method, ids, args) {
        const answers = await this.work(method, [ids, ...args]);
        if (answers) {
            await this.showAnswers(answers, ["cancel", "release"].includes(method));
        }
    }

    /** Show what became of each of many cases until it is closed, and go on: to the case after those that are settled. */
    async showAnswers(answers, isSettling = false) {
        const done = answers.filter((answer) => answer.ok).map((answer) => answer.id);
        this.state.selected = this.state.selected.filter((id) => !done.includes(id));
        this.state.results = answers.length > 1 || !done.length ? answers : [];
        if (answers.length === 1 && done.length) {
            this.notification.add(`${answers[0].name}: ${answers[0].message}`, { type: "success" });
        }
        await (isSettling ? this.goOn(done) : this.load());
    }

    get resultTitle() {
        const done = this.state.results.filter((answer) => answer.ok).length;
        return _t("%(done)s done, %(refused)s not", {
            done,
            refused: this.state.results.length - done,
        });
    }

    closeResults() {
        this.state.results = [];
    }

    async saveAddress(values) {
        const { current } = this.state;
        const answers = await this.work("correct_address", [current.id, values]);
        if (!answers) {
            return;
        }
        this.state.isCorrecting = false;
        this.notification.add(answers.message, { type: answers.ok ? "success" : "warning" });
        const nextId = findNeighbour(this.state.cases, [current.id], current.id);
        await this.loadCases();
        await this.load(
            this.state.cases.some((item) => item.id === current.id) ? current.id : nextId
        );
    }

    async askBuyer() {
        const { current } = this.state;
        if (current) {
            const action = await this.orm.call(MODEL, "ask_buyer", [current.id]);
            this.action.doAction(action, { onClose: () => this.loadCase(current.id) });
        }
    }

    openOrder(id) {
        const orderId = typeof id === "number" ? id : this.state.current?.order_id;
        return (
            orderId &&
            this.action.doAction({
                type: "ir.actions.act_window",
                res_model: "sale.order",
                res_id: orderId,
                views: [[false, "form"]],
            })
        );
    }

    /** A button that another addon has added: what its method returns is opened. */
    async runAction(entry) {
        const action = await this.orm.call("sale.order", entry.name, [
            [this.state.current.order_id],
        ]);
        if (action && typeof action === "object") {
            return this.action.doAction(action, { onClose: () => this.load() });
        }
        await this.load();
    }
}

registry.category("actions").add("oms_review_desk", OmsReviewDesk);
