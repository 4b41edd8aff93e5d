DROP INDEX "bills_record_snapshot";--> statement-breakpoint
DROP INDEX "fills_record_snapshot";--> statement-breakpoint
DROP INDEX "closed_positions_record_snapshot";--> statement-breakpoint
DROP INDEX "deposits_record_snapshot";--> statement-breakpoint
DROP INDEX "withdrawals_record_snapshot";--> statement-breakpoint
DROP INDEX "transfers_record_snapshot";--> statement-breakpoint
CREATE INDEX "bills_record_snapshot" ON "bills_record" USING btree ("scope_id","snapshot_id");--> statement-breakpoint
CREATE INDEX "fills_record_snapshot" ON "fills_record" USING btree ("scope_id","snapshot_id");--> statement-breakpoint
CREATE INDEX "closed_positions_record_snapshot" ON "closed_positions_record" USING btree ("scope_id","snapshot_id");--> statement-breakpoint
CREATE INDEX "deposits_record_snapshot" ON "deposits_record" USING btree ("scope_id","snapshot_id");--> statement-breakpoint
CREATE INDEX "withdrawals_record_snapshot" ON "withdrawals_record" USING btree ("scope_id","snapshot_id");--> statement-breakpoint
CREATE INDEX "transfers_record_snapshot" ON "transfers_record" USING btree ("scope_id","snapshot_id");