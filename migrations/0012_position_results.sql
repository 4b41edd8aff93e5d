CREATE TABLE `position_result` (
	`scope_id` integer NOT NULL,
	`position_id` text NOT NULL,
	`version` integer NOT NULL,
	`item_id` integer,
	`since` integer,
	`seen` integer,
	`fees` blob,
	`bills_realized_pl` blob,
	`bills_funding` blob,
	`bills_fees` blob,
	`bills_net_profit` blob,
	`difference` blob,
	`verdict` text NOT NULL,
	`is_final` integer NOT NULL,
	`through` integer NOT NULL,
	PRIMARY KEY(`scope_id`, `position_id`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `position_result_episode` ON `position_result` (`item_id`,`since`);--> statement-breakpoint
CREATE INDEX `position_result_open` ON `position_result` (`scope_id`) WHERE is_final = 0;