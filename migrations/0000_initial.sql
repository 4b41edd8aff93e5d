CREATE TABLE `account` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `account_name_unique` ON `account` (`name`);--> statement-breakpoint
CREATE TABLE `account_mode` (
	`id` integer PRIMARY KEY NOT NULL,
	`account_id` integer NOT NULL,
	`since` integer NOT NULL,
	`api` text NOT NULL,
	`cause` text NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `equity_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `equity_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `equity_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `equity_item_key` ON `equity_item` (`scope_id`);--> statement-breakpoint
CREATE TABLE `equity_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`usdt_equity` blob,
	`spot_usdt` blob,
	`futures_usdt` blob,
	`other_usdt` blob,
	`funding_usdt` blob,
	`earn_usdt` blob,
	`bots_usdt` blob,
	`margin_usdt` blob,
	`unified_usdt` blob,
	`btc_equity` blob,
	`account_equity` blob,
	`effective_equity` blob,
	`unrealized_pl` blob,
	`usdt_unrealized_pl` blob,
	`btc_unrealized_pl` blob,
	`mmr` blob,
	`imr` blob,
	`margin_ratio` blob,
	`position_margin_ratio` blob,
	`position_value` blob,
	`leverage` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `equity_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `equity_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`complete` integer,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `equity_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `funding_assets_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `funding_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `funding_assets_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`coin` text NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `funding_assets_item_key` ON `funding_assets_item` (`scope_id`,`coin`);--> statement-breakpoint
CREATE TABLE `funding_assets_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`usdt_value` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `funding_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `funding_assets_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`available` blob,
	`frozen` blob,
	`balance` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `funding_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `mix_accounts_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `mix_accounts_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `mix_accounts_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`margin_coin` text NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `mix_accounts_item_key` ON `mix_accounts_item` (`scope_id`,`margin_coin`);--> statement-breakpoint
CREATE TABLE `mix_accounts_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`equity` blob,
	`usdt_equity` blob,
	`btc_equity` blob,
	`unrealized_pl` blob,
	`cross_risk_rate` blob,
	`cross_max_available` blob,
	`fixed_max_available` blob,
	`max_transfer_out` blob,
	`crossed_margin` blob,
	`isolated_margin` blob,
	`crossed_unrealized_pl` blob,
	`isolated_unrealized_pl` blob,
	`union_total_margin` blob,
	`union_available` blob,
	`union_mm` blob,
	`asset_list` text,
	`usd_value` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `mix_accounts_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `mix_accounts_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`available` blob,
	`locked` blob,
	`bonus` blob,
	`coupon` blob,
	`grant` blob,
	`asset_mode` text,
	`balance` blob,
	`balance_original` blob,
	`debt` blob,
	`interest_base` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `mix_accounts_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `positions_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `positions_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `positions_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`symbol` text NOT NULL,
	`margin_coin` text NOT NULL,
	`hold_side` text NOT NULL,
	`margin_mode` text NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `positions_item_key` ON `positions_item` (`scope_id`,`symbol`,`margin_coin`,`hold_side`,`margin_mode`);--> statement-breakpoint
CREATE TABLE `positions_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`margin` blob,
	`unrealized_pl` blob,
	`unrealized_plr` blob,
	`liquidation_price` blob,
	`mark_price` blob,
	`margin_ratio` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `positions_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `positions_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`open_delegate_count` blob,
	`available` blob,
	`locked` blob,
	`total` blob,
	`leverage` blob,
	`achieved_profits` blob,
	`keep_margin_rate` blob,
	`average_open_price` blob,
	`opened_at` integer,
	`break_even_price` blob,
	`hold_mode` text,
	`auto_margin` text,
	`total_funding` blob,
	`deducted_fee` blob,
	`open_fee_total` blob,
	`close_fee_total` blob,
	`take_profit` blob,
	`stop_loss` blob,
	`take_profit_id` text,
	`stop_loss_id` text,
	`grant` blob,
	`cash_dividend` blob,
	`position_status` text,
	`asset_mode` text,
	`updated_at` integer,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `positions_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `prices_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `prices_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `prices_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`coin` text NOT NULL,
	`quote` text NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `prices_item_key` ON `prices_item` (`scope_id`,`coin`,`quote`);--> statement-breakpoint
CREATE TABLE `prices_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`price` blob,
	`bid` blob,
	`ask` blob,
	`exchange_time` integer,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `prices_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `prices_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`source` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `prices_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `run` (
	`id` integer PRIMARY KEY NOT NULL,
	`series_id` integer NOT NULL,
	`slot` integer NOT NULL,
	`state` text NOT NULL,
	`cause` text,
	`late_ms` integer,
	`took_ms` integer,
	`requests` integer,
	`retries` integer,
	`rows` integer,
	`spread_ms` integer,
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `run_slot` ON `run` (`series_id`,`slot`);--> statement-breakpoint
CREATE INDEX `run_without_snapshot` ON `run` (`series_id`,`slot`) WHERE state in ('missed', 'skipped', 'failed');--> statement-breakpoint
CREATE INDEX `run_running` ON `run` (`id`) WHERE state = 'running';--> statement-breakpoint
CREATE TABLE `schedule` (
	`series_id` integer NOT NULL,
	`since` integer NOT NULL,
	`pattern` text NOT NULL,
	`until` integer,
	PRIMARY KEY(`series_id`, `since`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `scope` (
	`id` integer PRIMARY KEY NOT NULL,
	`series_id` integer NOT NULL,
	`product_type` text NOT NULL,
	`latest` integer,
	`until` integer,
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `scope_name` ON `scope` (`series_id`,`product_type`);--> statement-breakpoint
CREATE TABLE `series` (
	`id` integer PRIMARY KEY NOT NULL,
	`account_id` integer NOT NULL,
	`dataset` text NOT NULL,
	`accounted_to` integer,
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `series_name` ON `series` (`account_id`,`dataset`);--> statement-breakpoint
CREATE TABLE `snapshot` (
	`id` integer PRIMARY KEY NOT NULL,
	`run_id` integer NOT NULL,
	`scope_id` integer NOT NULL,
	`taken_at` integer NOT NULL,
	`rows` integer NOT NULL,
	`digest` blob NOT NULL,
	`error_code` text,
	`error_message` text,
	FOREIGN KEY (`run_id`) REFERENCES `run`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `snapshot_taken` ON `snapshot` (`scope_id`,`taken_at`);--> statement-breakpoint
CREATE INDEX `snapshot_failed` ON `snapshot` (`run_id`) WHERE error_code is not null;--> statement-breakpoint
CREATE TABLE `spot_assets_extra` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`fields` text,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `spot_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `spot_assets_item` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`coin` text NOT NULL,
	FOREIGN KEY (`scope_id`) REFERENCES `scope`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `spot_assets_item_key` ON `spot_assets_item` (`scope_id`,`coin`);--> statement-breakpoint
CREATE TABLE `spot_assets_moving` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`equity` blob,
	`usd_value` blob,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `spot_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `spot_assets_steady` (
	`item_id` integer NOT NULL,
	`since` integer NOT NULL,
	`present` integer NOT NULL,
	`available` blob,
	`frozen` blob,
	`locked` blob,
	`limit_available` blob,
	`balance` blob,
	`balance_original` blob,
	`debt` blob,
	`bonus` blob,
	`interest_base` blob,
	`coin_id` text,
	`coin_display_name` text,
	`updated_at` integer,
	PRIMARY KEY(`item_id`, `since`),
	FOREIGN KEY (`item_id`) REFERENCES `spot_assets_item`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`since`) REFERENCES `snapshot`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
