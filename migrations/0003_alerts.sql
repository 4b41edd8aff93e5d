CREATE TABLE `alert` (
	`kind` text NOT NULL,
	`account` text NOT NULL,
	`subject` text NOT NULL,
	`name` text NOT NULL,
	`what` text NOT NULL,
	`scope_id` integer,
	`fired_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `account`, `subject`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `alert_figure` (
	`account` text NOT NULL,
	`hour` integer NOT NULL,
	`figure` text NOT NULL,
	PRIMARY KEY(`account`, `hour`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `alert_message` (
	`id` integer PRIMARY KEY NOT NULL,
	`alert` text NOT NULL,
	`kind` text NOT NULL,
	`account` text NOT NULL,
	`what` text NOT NULL,
	`state` text NOT NULL,
	`at` integer NOT NULL,
	`value` text,
	`threshold` text,
	`sentence` text NOT NULL,
	`delivery` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`problem` text
) STRICT;
