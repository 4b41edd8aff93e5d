CREATE TABLE `daily_range` (
	`dataset` text NOT NULL,
	`item_id` integer NOT NULL,
	`day` integer NOT NULL,
	`field` text NOT NULL,
	`least` blob NOT NULL,
	`greatest` blob NOT NULL,
	PRIMARY KEY(`dataset`, `item_id`, `day`, `field`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `episode` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`opened_at` integer,
	`first_seen_at` integer NOT NULL,
	`last_seen_at` integer,
	`closed_before` integer,
	`largest_total` blob,
	`average_open_price` blob,
	`worst_unrealized_pl` blob,
	`best_unrealized_pl` blob,
	`closest_liquidation` blob,
	`realized_pl` blob,
	`funding` blob,
	`fees` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `positions_item`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `pruned` (
	`id` integer PRIMARY KEY NOT NULL,
	`run_id` integer NOT NULL,
	`digest` blob NOT NULL,
	FOREIGN KEY (`run_id`) REFERENCES `run`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
DROP INDEX `snapshot_taken`;--> statement-breakpoint
CREATE INDEX `snapshot_taken` ON `snapshot` (`scope_id`,`taken_at`,`error_code`);