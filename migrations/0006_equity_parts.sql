ALTER TABLE `equity_moving` ADD `priced_usdt` blob;--> statement-breakpoint
ALTER TABLE `equity_steady` ADD `unpriced` text;--> statement-breakpoint
ALTER TABLE `equity_steady` ADD `missing` text;