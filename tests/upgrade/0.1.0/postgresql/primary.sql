SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.person (
    id integer NOT NULL,
    name text,
    status text,
    note text,
    phone text
);
CREATE TABLE public.visit (
    id integer NOT NULL,
    person_id integer NOT NULL,
    result text
);
INSERT INTO public.person VALUES (5, 'Eve', 'case', 'Grüße', NULL);
INSERT INTO public.person VALUES (1, 'Ann', 'case', NULL, '040 66969011');
INSERT INTO public.person VALUES (2, 'Bob', 'odd', '', NULL);
INSERT INTO public.person VALUES (4, 'Dan', 'case', 'theirs', NULL);
INSERT INTO public.person VALUES (7, 'Gus', 'open', NULL, NULL);
INSERT INTO public.person VALUES (3, 'Cat', 'done', 'x', '+49 40 66969013');
INSERT INTO public.visit VALUES (10, 1, 'negative');
INSERT INTO public.visit VALUES (11, 1, 'positive');
INSERT INTO public.visit VALUES (12, 4, NULL);
INSERT INTO public.visit VALUES (14, 7, 'positive');
ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);
