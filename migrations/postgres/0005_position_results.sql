CREATE TABLE "position_result" (
	"scope_id" bigint NOT NULL,
	"position_id" text collate "C" NOT NULL,
	"version" bigint NOT NULL,
	"item_id" bigint,
	"since" bigint,
	"seen" bigint,
	"fees" numeric,
	"bills_realized_pl" numeric,
	"bills_funding" numeric,
	"bills_fees" numeric,
	"bills_net_profit" numeric,
	"difference" numeric,
	"verdict" text collate "C" NOT NULL,
	"is_final" bigint NOT NULL,
	"through" bigint NOT NULL,
	CONSTRAINT "position_result_scope_id_position_id_pk" PRIMARY KEY("scope_id","position_id")
);
--> statement-breakpoint
CREATE INDEX "position_result_episode" ON "position_result" USING btree ("item_id","since");--> statement-breakpoint
CREATE INDEX "position_result_open" ON "position_result" USING btree ("scope_id") WHERE is_final = 0;