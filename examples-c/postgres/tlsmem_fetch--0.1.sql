-- tlsmem_fetch--0.1.sql - what CREATE EXTENSION tlsmem_fetch makes.

\echo Use "CREATE EXTENSION tlsmem_fetch" to load this file. \quit

CREATE TYPE tlsmem_field AS (name text, value text);

CREATE FUNCTION tlsmem_version() RETURNS text
AS 'MODULE_PATHNAME', 'fetch_version' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tlsmem_version() IS 'the version of libtlsmem';

CREATE FUNCTION tlsmem_get(url text, ca text DEFAULT NULL, OUT status int, OUT headers tlsmem_field[], OUT body bytea)
AS 'MODULE_PATHNAME', 'fetch_get' LANGUAGE C VOLATILE COST 100000;
COMMENT ON FUNCTION tlsmem_get(text, text) IS 'fetch a URL over HTTPS';

CREATE FUNCTION tlsmem_get_all(urls text[], ca text DEFAULT NULL)
RETURNS TABLE (url text, status int, headers tlsmem_field[], body bytea, error text, sqlstate text)
AS 'MODULE_PATHNAME', 'fetch_get_all' LANGUAGE C VOLATILE COST 100000;
COMMENT ON FUNCTION tlsmem_get_all(text[], text) IS 'fetch URLs over HTTPS, all at once';

-- Who may call these makes requests in the server's name, from inside of its network.
REVOKE EXECUTE ON FUNCTION tlsmem_get(text, text), tlsmem_get_all(text[], text) FROM PUBLIC;
