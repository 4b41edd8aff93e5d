CREATE TABLE "bill_step" (
	"scope_id" bigint NOT NULL,
	"bill_id" text collate "C" NOT NULL,
	"change" numeric,
	"booked_at" bigint,
	"position" bigint,
	CONSTRAINT "bill_step_scope_id_bill_id_pk" PRIMARY KEY("scope_id","bill_id")
);
--> statement-breakpoint
CREATE TABLE "ledger_finding" (
	"account_id" bigint NOT NULL,
	"category" text collate "C" NOT NULL,
	"type" text collate "C" NOT NULL,
	"convention" text collate "C" NOT NULL,
	"entries" bigint NOT NULL,
	CONSTRAINT "ledger_finding_account_id_category_type_convention_pk" PRIMARY KEY("account_id","category","type","convention")
);
--> statement-breakpoint
CREATE TABLE "reconciled" (
	"account_id" bigint NOT NULL,
	"wallet" text collate "C" NOT NULL,
	"coin" text collate "C" NOT NULL,
	"from_at" bigint NOT NULL,
	"to_at" bigint NOT NULL,
	"opening" numeric NOT NULL,
	"change" numeric NOT NULL,
	"entries" bigint NOT NULL,
	"closing" numeric NOT NULL,
	"residual" numeric NOT NULL,
	"verdict" text collate "C" NOT NULL,
	"cause" text collate "C",
	CONSTRAINT "reconciled_account_id_wallet_coin_from_at_pk" PRIMARY KEY("account_id","wallet","coin","from_at")
);
--> statement-breakpoint
CREATE TABLE "ledger_chain" (
	"account_id" bigint NOT NULL,
	"wallet" text collate "C" NOT NULL,
	"coin" text collate "C" NOT NULL,
	"settled_at" bigint,
	"settled_balance" numeric,
	"last_settled" text collate "C",
	"bills_through" bigint NOT NULL,
	"revision" bigint DEFAULT 0 NOT NULL,
	"full_revision" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "ledger_chain_account_id_wallet_coin_pk" PRIMARY KEY("account_id","wallet","coin")
);
--> statement-breakpoint
CREATE TABLE "snapshot_balance" (
	"account_id" bigint NOT NULL,
	"wallet" text collate "C" NOT NULL,
	"coin" text collate "C" NOT NULL,
	"at" bigint NOT NULL,
	"balance" numeric NOT NULL,
	CONSTRAINT "snapshot_balance_account_id_wallet_coin_at_pk" PRIMARY KEY("account_id","wallet","coin","at")
);
