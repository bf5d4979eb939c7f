// A headless Vendure for the tests: bearer tokens, loopback only. Everything variable comes from the environment.
require("reflect-metadata");
const {
    bootstrap,
    dummyPaymentHandler,
    JobQueueService,
    DefaultJobQueuePlugin,
    DefaultLogger,
    LogLevel,
} = require("@vendure/core");
const { WebhookPlugin } = require("./webhook-plugin");

const config = {
    apiOptions: {
        hostname: "127.0.0.1",
        port: Number(process.env.PORT),
        adminApiPath: "admin-api",
        shopApiPath: "shop-api",
    },
    authOptions: {
        tokenMethod: ["bearer"],
        superadminCredentials: {
            identifier: process.env.ADMIN_USER,
            password: process.env.ADMIN_PASSWORD,
        },
        requireVerification: false,
        cookieOptions: { secret: "oms-test" },
    },
    dbConnectionOptions: {
        type: "postgres",
        host: process.env.DB_HOST,
        port: Number(process.env.DB_PORT),
        username: process.env.DB_USER,
        password: process.env.DB_PASSWORD || undefined,
        database: process.env.DB_NAME,
        synchronize: process.env.DB_SYNCHRONIZE === "1",
        logging: false,
    },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    logger: new DefaultLogger({ level: LogLevel.Warn, timestamp: true }),
    importExportOptions: { importAssetsDir: __dirname },
    plugins: [DefaultJobQueuePlugin.init({ pollInterval: 500 }), WebhookPlugin],
};

bootstrap(config)
    .then((app) => app.get(JobQueueService).start())
    .catch((error) => {
        console.error(error);
        process.exit(1);
    });
