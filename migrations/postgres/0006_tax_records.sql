CREATE TABLE "tax_records_record" (
	"scope_id" bigint NOT NULL,
	"coin" text collate "C",
	"record_id" text collate "C" NOT NULL,
	"at" bigint,
	"type" text collate "C",
	"amount" numeric,
	"fee" numeric,
	"balance" numeric,
	"symbol" text collate "C",
	"order_id" text collate "C",
	"version" bigint NOT NULL,
	"snapshot_id" bigint NOT NULL,
	"extra" text collate "C",
	CONSTRAINT "tax_records_record_scope_id_record_id_version_pk" PRIMARY KEY("scope_id","record_id","version")
);
--> statement-breakpoint
CREATE INDEX "tax_records_record_snapshot" ON "tax_records_record" USING btree ("scope_id","snapshot_id");