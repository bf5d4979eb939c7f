import globals from "globals";

const rules = {
    "no-undef": "error",
    "no-unused-vars": ["error", { args: "none" }],
    "prefer-const": "error",
    "no-var": "error",
    eqeqeq: "error",
    "no-debugger": "error",
    "no-restricted-globals": ["error", "event", "self"],
    "no-const-assign": "error",
    "no-dupe-keys": "error",
    "no-unreachable": "error",
};

export default [
    {
        // Odoo's web client
        files: ["addons/**/*.js"],
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: {
                ...globals.browser,
                odoo: "readonly",
                luxon: "readonly",
                owl: "readonly",
                Chart: "readonly",
            },
        },
        rules,
    },
    {
        // The test shop and this file: Node.js
        files: ["tests/**/*.js", "tests/**/*.cjs"],
        languageOptions: { ecmaVersion: 2024, sourceType: "commonjs", globals: globals.node },
        rules,
    },
    {
        files: ["**/*.mjs"],
        languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.node },
        rules,
    },
];
