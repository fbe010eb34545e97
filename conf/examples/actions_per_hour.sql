-- Actions per hour of a log, each hour written once it is over: ten minutes after its end, by the
-- clock of the log.
--
--   build/release/tidemill run conf/examples/actions_per_hour.sql
CREATE TABLE log (ts TIMESTAMP, user STRING, action STRING)
USING json OPTIONS (path 'conf/examples/data/user_log', maxFilesPerTrigger 1);

CREATE STREAMING TABLE actions_per_hour
USING json
OPTIONS (path 'out/actions_per_hour', trigger 'available-now', checkpointLocation 'checkpoints/actions_per_hour')
AS SELECT window.start AS hour, action, count(*) AS actions
   FROM STREAM log WATERMARK ts DELAY OF INTERVAL 10 MINUTES
   GROUP BY window(ts, '1 hour'), action;
