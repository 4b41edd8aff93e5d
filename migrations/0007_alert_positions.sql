-- Alerts keep a position per account: each begins where the one for all of them was.
INSERT INTO `alert_figure` (`account`, `hour`, `figure`)
SELECT `account`.`name`, 0, `alert_figure`.`figure` FROM `account`, `alert_figure`
WHERE `alert_figure`.`account` = '' AND `alert_figure`.`hour` = 0;
