CREATE TABLE `bill_step` (
	`scope_id` integer NOT NULL,
	`bill_id` text NOT NULL,
	`change` blob,
	`booked_at` integer,
	`position` integer,
	PRIMARY KEY(`scope_id`, `bill_id`),
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ledger_chain` (
	`account_id` integer NOT NULL,
	`wallet` text NOT NULL,
	`coin` text NOT NULL,
	`settled_at` integer,
	`settled_balance` blob,
	`last_settled` text,
	`bills_through` integer NOT NULL,
	PRIMARY KEY(`account_id`, `wallet`, `coin`),
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ledger_finding` (
	`account_id` integer NOT NULL,
	`category` text NOT NULL,
	`type` text NOT NULL,
	`convention` text NOT NULL,
	`entries` integer NOT NULL,
	PRIMARY KEY(`account_id`, `category`, `type`, `convention`),
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `reconciled` (
	`account_id` integer NOT NULL,
	`wallet` text NOT NULL,
	`coin` text NOT NULL,
	`from_at` integer NOT NULL,
	`to_at` integer NOT NULL,
	`opening` blob NOT NULL,
	`change` blob NOT NULL,
	`entries` integer NOT NULL,
	`closing` blob NOT NULL,
	`residual` blob NOT NULL,
	`verdict` text NOT NULL,
	`cause` text,
	PRIMARY KEY(`account_id`, `wallet`, `coin`, `from_at`),
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `snapshot_balance` (
	`account_id` integer NOT NULL,
	`wallet` text NOT NULL,
	`coin` text NOT NULL,
	`at` integer NOT NULL,
	`balance` blob NOT NULL,
	PRIMARY KEY(`account_id`, `wallet`, `coin`, `at`),
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `bills_record_snapshot` ON `bills_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE INDEX `fills_record_snapshot` ON `fills_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE INDEX `closed_positions_record_snapshot` ON `closed_positions_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE INDEX `deposits_record_snapshot` ON `deposits_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE INDEX `withdrawals_record_snapshot` ON `withdrawals_record` (`scope_id`,`snapshot_id`);--> statement-breakpoint
CREATE INDEX `transfers_record_snapshot` ON `transfers_record` (`scope_id`,`snapshot_id`);