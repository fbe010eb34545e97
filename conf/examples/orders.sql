-- A batch program: delivered orders per customer, from two CSV files whose values keep their quotes.
--
--   build/release/tidemill sql conf/examples/orders.sql
CREATE TABLE orders (order_id STRING, customer_id STRING, order_status STRING, purchased TIMESTAMP)
USING csv OPTIONS (path 'conf/examples/data/orders/orders.csv', header true, quote '');

CREATE TABLE customers (customer_id STRING, name STRING, city STRING)
USING csv OPTIONS (path 'conf/examples/data/orders/customers.csv', header true, quote '');

CREATE TEMPORARY VIEW delivered AS
SELECT regexp_replace(order_id, '"', '') AS order_id,
       regexp_replace(customer_id, '"', '') AS customer_id,
       purchased
FROM orders
WHERE regexp_replace(order_status, '"', '') = 'delivered';

CREATE TEMPORARY VIEW clean_customers AS
SELECT regexp_replace(customer_id, '"', '') AS customer_id,
       regexp_replace(name, '"', '') AS name,
       regexp_replace(city, '"', '') AS city
FROM customers;

CREATE TEMPORARY VIEW orders_per_customer AS
SELECT d.customer_id, name, city, orders, last_purchase
FROM (SELECT customer_id, count(*) AS orders, max(purchased) AS last_purchase
      FROM delivered GROUP BY customer_id) AS d
LEFT JOIN clean_customers AS c ON d.customer_id = c.customer_id;

SELECT * FROM orders_per_customer ORDER BY orders DESC, customer_id;

SELECT count(*) AS customers, sum(orders) AS orders FROM orders_per_customer;
