// A headless Medusa for the tests: no admin build, no Redis, loopback only. Everything variable comes from the environment.
const { defineConfig } = require("@medusajs/framework/utils");

module.exports = defineConfig({
    projectConfig: {
        databaseUrl: process.env.DATABASE_URL,
        databaseDriverOptions: { connection: { ssl: false } },
        http: {
            storeCors: "http://127.0.0.1",
            adminCors: "http://127.0.0.1",
            authCors: "http://127.0.0.1",
            jwtSecret: "oms-test",
            cookieSecret: "oms-test",
        },
    },
    admin: { disable: true },
});
