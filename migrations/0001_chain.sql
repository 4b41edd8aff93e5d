CREATE TABLE `link` (
	`id` integer PRIMARY KEY NOT NULL,
	`run_id` integer,
	`note` text,
	`digest` blob NOT NULL,
	FOREIGN KEY (`run_id`) REFERENCES `run`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
