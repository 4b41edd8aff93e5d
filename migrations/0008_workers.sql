CREATE TABLE `worker` (
	`name` text PRIMARY KEY NOT NULL,
	`seen_at` integer NOT NULL,
	`version` text NOT NULL,
	`settings` text NOT NULL,
	`accounts` integer NOT NULL,
	`paused_until` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `link` ADD `chain` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `run` ADD `worker` text;