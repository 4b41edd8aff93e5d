CREATE TABLE "reading" (
	"snapshot_id" bigint PRIMARY KEY NOT NULL,
	"through" bigint NOT NULL,
	"window_from" bigint,
	"window_to" bigint,
	"cursor" text collate "C",
	"hole_from" bigint,
	"hole_to" bigint
);
--> statement-breakpoint
CREATE TABLE "bills_record" (
	"scope_id" bigint NOT NULL,
	"coin" text collate "C",
	"bill_id" text collate "C" NOT NULL,
	"at" bigint,
	"type" text collate "C",
	"amount" numeric,
	"fee" numeric,
	"balance" numeric,
	"symbol" text collate "C",
	"order_id" text collate "C",
	"group_type" text collate "C",
	"fee_by_coupon" numeric,
	"position_type" text collate "C",
	"position_amount" numeric,
	"position_balance" numeric,
	"updated_at" bigint,
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "bills_record_scope_id_bill_id_version_pk" PRIMARY KEY("scope_id","bill_id","version")
);
--> statement-breakpoint
CREATE TABLE "fills_record" (
	"scope_id" bigint NOT NULL,
	"symbol" text collate "C",
	"trade_id" text collate "C" NOT NULL,
	"order_id" text collate "C",
	"at" bigint,
	"side" text collate "C",
	"trade_side" text collate "C",
	"price" numeric,
	"size" numeric,
	"quote" numeric,
	"fee" numeric,
	"fee_coin" text collate "C",
	"profit" numeric,
	"role" text collate "C",
	"order_type" text collate "C",
	"position_mode" text collate "C",
	"deduction" text collate "C",
	"source" text collate "C",
	"updated_at" bigint,
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "fills_record_scope_id_trade_id_version_pk" PRIMARY KEY("scope_id","trade_id","version")
);
--> statement-breakpoint
CREATE TABLE "closed_positions_record" (
	"scope_id" bigint NOT NULL,
	"symbol" text collate "C",
	"margin_coin" text collate "C",
	"hold_side" text collate "C",
	"margin_mode" text collate "C",
	"position_id" text collate "C" NOT NULL,
	"opened_at" bigint,
	"closed_at" bigint,
	"open_average_price" numeric,
	"close_average_price" numeric,
	"size" numeric,
	"realized_pl" numeric,
	"net_profit" numeric,
	"funding" numeric,
	"open_fee" numeric,
	"close_fee" numeric,
	"opened_size" numeric,
	"hold_mode" text collate "C",
	"cash_dividend" numeric,
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "closed_positions_record_scope_id_position_id_version_pk" PRIMARY KEY("scope_id","position_id","version")
);
--> statement-breakpoint
CREATE TABLE "deposits_record" (
	"scope_id" bigint NOT NULL,
	"coin" text collate "C",
	"record_id" text collate "C" NOT NULL,
	"at" bigint,
	"updated_at" bigint,
	"amount" numeric,
	"fee" numeric,
	"status" text collate "C",
	"network" text collate "C",
	"address" text collate "C",
	"tx_id" text collate "C",
	"from_address" text collate "C",
	"tag" text collate "C",
	"confirmations" text collate "C",
	"client_id" text collate "C",
	"origin" text collate "C",
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "deposits_record_scope_id_record_id_version_pk" PRIMARY KEY("scope_id","record_id","version")
);
--> statement-breakpoint
CREATE TABLE "withdrawals_record" (
	"scope_id" bigint NOT NULL,
	"coin" text collate "C",
	"record_id" text collate "C" NOT NULL,
	"at" bigint,
	"updated_at" bigint,
	"amount" numeric,
	"fee" numeric,
	"status" text collate "C",
	"network" text collate "C",
	"address" text collate "C",
	"tx_id" text collate "C",
	"from_address" text collate "C",
	"tag" text collate "C",
	"confirmations" text collate "C",
	"client_id" text collate "C",
	"destination" text collate "C",
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "withdrawals_record_scope_id_record_id_version_pk" PRIMARY KEY("scope_id","record_id","version")
);
--> statement-breakpoint
CREATE TABLE "transfers_record" (
	"scope_id" bigint NOT NULL,
	"coin" text collate "C",
	"transfer_id" text collate "C" NOT NULL,
	"at" bigint,
	"amount" numeric,
	"from_wallet" text collate "C",
	"to_wallet" text collate "C",
	"status" text collate "C",
	"from_user" text collate "C",
	"to_user" text collate "C",
	"client_id" text collate "C",
	"old_transfer_id" text collate "C",
	"updated_at" bigint,
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "transfers_record_scope_id_transfer_id_version_pk" PRIMARY KEY("scope_id","transfer_id","version")
);
--> statement-breakpoint
CREATE INDEX "bills_record_snapshot" ON "bills_record" USING btree ("snapshot_id");--> statement-breakpoint
CREATE INDEX "fills_record_snapshot" ON "fills_record" USING btree ("snapshot_id");--> statement-breakpoint
CREATE INDEX "closed_positions_record_snapshot" ON "closed_positions_record" USING btree ("snapshot_id");--> statement-breakpoint
CREATE INDEX "deposits_record_snapshot" ON "deposits_record" USING btree ("snapshot_id");--> statement-breakpoint
CREATE INDEX "withdrawals_record_snapshot" ON "withdrawals_record" USING btree ("snapshot_id");--> statement-breakpoint
CREATE INDEX "transfers_record_snapshot" ON "transfers_record" USING btree ("snapshot_id");