ALTER TABLE `ledger_chain` ADD `revision` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger_chain` ADD `full_revision` integer DEFAULT 0 NOT NULL;