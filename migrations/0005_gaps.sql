CREATE TABLE `gap` (
	`series_id` integer NOT NULL,
	`scope_id` integer NOT NULL,
	`from_slot` integer NOT NULL,
	`to_slot` integer NOT NULL,
	`slots` integer NOT NULL,
	`cause` text NOT NULL,
	PRIMARY KEY(`series_id`, `scope_id`, `from_slot`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
