CREATE TABLE `tax_records_record` (
	`scope_id` integer NOT NULL,
	`coin` text,
	`record_id` text NOT NULL,
	`at` integer,
	`type` text,
	`amount` blob,
	`fee` blob,
	`balance` blob,
	`symbol` text,
	`order_id` text,
	`version` integer NOT NULL,
	`snapshot_id` integer NOT NULL,
	`extra` text,
	PRIMARY KEY(`scope_id`, `record_id`, `version`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`snapshot_id`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tax_records_record_snapshot` ON `tax_records_record` (`scope_id`,`snapshot_id`);