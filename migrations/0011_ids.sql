CREATE TABLE `__new_bills_record` (
	`scope_id` integer NOT NULL,
	`coin` text,
	`bill_id` any NOT NULL,
	`at` integer,
	`type` text,
	`amount` blob,
	`fee` blob,
	`balance` blob,
	`symbol` text,
	`order_id` any,
	`group_type` text,
	`fee_by_coupon` blob,
	`position_type` text,
	`position_amount` blob,
	`position_balance` blob,
	`updated_at` integer,
	`version` integer NOT NULL,
	`snapshot_id` integer NOT NULL,
	`extra` text,
	PRIMARY KEY(`scope_id`, `bill_id`, `version`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`snapshot_id`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_bills_record`("scope_id", "coin", "bill_id", "at", "type", "amount", "fee", "balance", "symbol", "order_id", "group_type", "fee_by_coupon", "position_type", "position_amount", "position_balance", "updated_at", "version", "snapshot_id", "extra") SELECT "scope_id", "coin", CASE WHEN "bill_id" GLOB '[1-9]*' AND CAST(CAST("bill_id" AS integer) AS text) = "bill_id" THEN CAST("bill_id" AS integer) ELSE "bill_id" END, "at", "type", "amount", "fee", "balance", "symbol", CASE WHEN "order_id" GLOB '[1-9]*' AND CAST(CAST("order_id" AS integer) AS text) = "order_id" THEN CAST("order_id" AS integer) ELSE "order_id" END, "group_type", "fee_by_coupon", "position_type", "position_amount", "position_balance", "updated_at", "version", "snapshot_id", "extra" FROM `bills_record`;--> statement-breakpoint
DROP TABLE `bills_record`;--> statement-breakpoint
ALTER TABLE `__new_bills_record` RENAME TO `bills_record`;--> statement-breakpoint
CREATE INDEX `bills_record_snapshot` ON `bills_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE TABLE `__new_fills_record` (
	`scope_id` integer NOT NULL,
	`symbol` text,
	`trade_id` any NOT NULL,
	`order_id` any,
	`at` integer,
	`side` text,
	`trade_side` text,
	`price` blob,
	`size` blob,
	`quote` blob,
	`fee` blob,
	`fee_coin` text,
	`profit` blob,
	`role` text,
	`order_type` text,
	`position_mode` text,
	`deduction` text,
	`source` text,
	`updated_at` integer,
	`version` integer NOT NULL,
	`snapshot_id` integer NOT NULL,
	`extra` text,
	PRIMARY KEY(`scope_id`, `trade_id`, `version`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`snapshot_id`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_fills_record`("scope_id", "symbol", "trade_id", "order_id", "at", "side", "trade_side", "price", "size", "quote", "fee", "fee_coin", "profit", "role", "order_type", "position_mode", "deduction", "source", "updated_at", "version", "snapshot_id", "extra") SELECT "scope_id", "symbol", CASE WHEN "trade_id" GLOB '[1-9]*' AND CAST(CAST("trade_id" AS integer) AS text) = "trade_id" THEN CAST("trade_id" AS integer) ELSE "trade_id" END, CASE WHEN "order_id" GLOB '[1-9]*' AND CAST(CAST("order_id" AS integer) AS text) = "order_id" THEN CAST("order_id" AS integer) ELSE "order_id" END, "at", "side", "trade_side", "price", "size", "quote", "fee", "fee_coin", "profit", "role", "order_type", "position_mode", "deduction", "source", "updated_at", "version", "snapshot_id", "extra" FROM `fills_record`;--> statement-breakpoint
DROP TABLE `fills_record`;--> statement-breakpoint
ALTER TABLE `__new_fills_record` RENAME TO `fills_record`;--> statement-breakpoint
CREATE INDEX `fills_record_snapshot` ON `fills_record` (`scope_id`,`snapshot_id`);