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
CREATE SCHEMA abgleich;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE abgleich.base_1 (
    k0 text NOT NULL COLLATE pg_catalog."C",
    cells bytea NOT NULL
);
CREATE TABLE abgleich.base_2 (
    k0 text NOT NULL COLLATE pg_catalog."C",
    cells bytea NOT NULL
);
CREATE TABLE abgleich.conflict (
    id text NOT NULL,
    tracked bigint NOT NULL,
    key_text text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    epoch bigint NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE abgleich.fact (
    kind text NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    epoch bigint NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE abgleich.head (
    only_row integer NOT NULL,
    format integer NOT NULL,
    lineage text NOT NULL,
    epoch bigint NOT NULL,
    hash text NOT NULL,
    run text NOT NULL,
    key_check text NOT NULL,
    primary_id text NOT NULL,
    paused text,
    seals bytea NOT NULL,
    mac bytea NOT NULL,
    CONSTRAINT head_only_row_check CHECK ((only_row = 1))
);
CREATE TABLE abgleich.journal (
    epoch bigint NOT NULL,
    tracked bigint NOT NULL,
    n bigint NOT NULL,
    key_text text NOT NULL,
    fate text NOT NULL,
    before text,
    after text,
    moved text,
    base_before bytea,
    base_after bytea,
    mac bytea NOT NULL
);
CREATE TABLE abgleich.quarantine (
    tracked bigint NOT NULL,
    key_text text NOT NULL,
    column_name text NOT NULL,
    reason text NOT NULL,
    rows bigint NOT NULL,
    epoch bigint NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE abgleich.run (
    epoch bigint NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    started text NOT NULL,
    finished text NOT NULL,
    operator text NOT NULL,
    reason text,
    counts text NOT NULL,
    nonce text NOT NULL,
    deeds text NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL,
    purged text,
    entries bigint NOT NULL,
    sum text NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE abgleich.seal (
    what text NOT NULL,
    n bigint NOT NULL,
    rows bigint NOT NULL,
    sum text NOT NULL
);
CREATE TABLE abgleich.tracked (
    id bigint NOT NULL,
    source text NOT NULL,
    target text NOT NULL,
    key_columns text NOT NULL,
    columns text NOT NULL,
    since bigint NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE public.person (
    id text NOT NULL COLLATE pg_catalog."C",
    status text,
    note text,
    phone text COLLATE pg_catalog."C"
);
CREATE TABLE public.visit (
    id text NOT NULL COLLATE pg_catalog."C",
    person_id text NOT NULL COLLATE pg_catalog."C",
    result text
);
INSERT INTO abgleich.base_1 VALUES ('p2_2ersqypp2cmqt7skufw6cz5kze', '\x1bd1e77a02e63be6666be276180c96727ecf09d8c19df2804a456cd53235453e');
INSERT INTO abgleich.base_1 VALUES ('p2_3wb3aufyoys3obwi7zqgov22om', '\x19981e356dc43f59d1875d9398dd1a009e4f730a8cf917a2b6b7e4d881e83d5a');
INSERT INTO abgleich.base_1 VALUES ('p2_mid6vy5dn4bvcag2hqal7crrhy', '\x055eac6834c4d2b8b3d6b2544dbeda5d635dc8c70624a2fbf8c1860bdfbb9153');
INSERT INTO abgleich.base_1 VALUES ('p2_twyzzkk273lpanga2u57fc6c5u', '\x7af7fa7b13a0f92af2efdb17c5ad84592f24097ebe5cedc91926ebbb763e3885');
INSERT INTO abgleich.base_1 VALUES ('p2_y2qs2h7vjxt5mto2dxkyb7emgu', '\x289c3bb4e5a923108edd5740b93029481c9d17c1f59b3fc1f1ae6aa1eb413aa2');
INSERT INTO abgleich.base_1 VALUES ('p2_vi6futrw7yfho5up4eqi7kmyky', '\x228207860bb3943de488772f2653aace74f8f360e9b310b8a7133bcff7437371');
INSERT INTO abgleich.base_2 VALUES ('p2_cwyfj5zxmdxg4pjgxupxyuml2a', '\xa38f671e6c7266f7ead9a72e2d451d82f63b358e90b778c2');
INSERT INTO abgleich.base_2 VALUES ('p2_jba6suh4xj7f4d7xxdfyzxuopq', '\xce2df0360d128f73aba1a39a05fee07dc91429bc6b028bac');
INSERT INTO abgleich.base_2 VALUES ('p2_m7l6bgo2o45g66pgcihjv3bsxm', '\xd11ae21c71c74fab43b9a1f0583e6835e38f1c415b0c6aa8');
INSERT INTO abgleich.base_2 VALUES ('p2_sb2fg4bf6wppat243fkx4yjjp4', '\x996b4c5194b276022cfe3435956e02d38a42a991a5b9c842');
INSERT INTO abgleich.conflict VALUES ('1dc519c708c9', 1, '{"id":"text:p2_2ersqypp2cmqt7skufw6cz5kze"}', 'both_updated', '{"columns":{"note":{"primary":"text:theirs","secondary":"text:ours","digest":"4cd6d6765577a75f"}}}', 2, '\x605e84eb8f050a97a124a6b7d70e4bff');
INSERT INTO abgleich.fact VALUES ('catalogue', 'accepted', '{"sha256":"0b0053cbcdd9487698157a69ca23f0d51e2286a2c47f5750ac159f90ab76a4a9"}', 1, '\x0310dde5f06fd284193f64c7a9a19267');
INSERT INTO abgleich.fact VALUES ('column', '1', '{"table":16469,"columns":4,"of":{"id":{"at":1,"type":"text","nullable":false},"note":{"at":3,"type":"text","nullable":true},"phone":{"at":4,"type":"text","nullable":true},"status":{"at":2,"type":"text","nullable":true}}}', 1, '\x14d6f4f0c1e88a31599e06d882624419');
INSERT INTO abgleich.fact VALUES ('column', '2', '{"table":16476,"columns":3,"of":{"id":{"at":1,"type":"text","nullable":false},"person_id":{"at":2,"type":"text","nullable":false},"result":{"at":3,"type":"text","nullable":true}}}', 1, '\xf682e23c96ebfb2b8bf8e9b221815076');
INSERT INTO abgleich.fact VALUES ('constraint', '1', '[]', 1, '\x1b267e7dfb596a14fb8d5221fe7d23eb');
INSERT INTO abgleich.fact VALUES ('constraint', '2', '[{"columns":["person_id"],"parent":1,"referenced":["id"],"maker":"program","name":"visit_person_id_fkey"}]', 1, '\x64cca4f84e7ff9cde1f2cd4d2d174de4');
INSERT INTO abgleich.fact VALUES ('leaves', 'person', '{"columns":{"id":{"class":"pseudonym","identity":"person","normalise":"none","format":"automatic"},"note":{"class":"plain"},"phone":{"class":"pseudonym","identity":"phone","normalise":"phone","format":"automatic"},"status":{"class":"plain","codes":["6d8ed2e04dc91632","819216212d06ac69","9b7fdabda64208bc"]}}}', 1, '\x126ccdb0df23dd3e3a54b0ca9cb4dbf0');
INSERT INTO abgleich.fact VALUES ('leaves', 'visit', '{"columns":{"id":{"class":"pseudonym","identity":"visit","normalise":"none","format":"automatic"},"person_id":{"class":"pseudonym","identity":"person","normalise":"none","format":"automatic"},"result":{"class":"plain"}}}', 1, '\xaa0f72cd11c5d07f2354697ca214c573');
INSERT INTO abgleich.fact VALUES ('primary_columns', 'person', '{"table":"7713918102678217951/16384/16386","columns":{"1b9116cd7acef3c4":{"place":4,"since":1},"631038b3ce932120":{"place":3,"since":1},"753499d31b4bfeeb":{"place":5,"since":1},"ae26a11eb6b41bc4":{"place":1,"since":1},"dd34c3d653c662dd":{"place":2,"since":1}}}', 1, '\xa5c092fd249057dcc63f5b977f68cdd7');
INSERT INTO abgleich.fact VALUES ('primary_columns', 'visit', '{"table":"7713918102678217951/16384/16393","columns":{"a48c35f9a6e11838":{"place":3,"since":1},"ae26a11eb6b41bc4":{"place":1,"since":1},"d3e5a51ba7f76649":{"place":2,"since":1}}}', 1, '\xf02da5d29a679b2f1e725f3b965f507a');
INSERT INTO abgleich.fact VALUES ('primary_tables', 'all', '{"69f5f5001365b502":{"since":1},"b4791a766d5440b9":{"since":1}}', 1, '\x574e2dd7da7c744bd809b28ed5575f33');
INSERT INTO abgleich.fact VALUES ('schema', 'data', '"public"', 1, '\x269bf5198fb682631d0da38de8102b41');
INSERT INTO abgleich.fact VALUES ('layout', '1', '"key"', 3, '\x9f87db55d22afc816d3a97a74069badb');
INSERT INTO abgleich.fact VALUES ('layout', '2', '"key"', 3, '\x5f1ac28538a1902483eb5f84bbe2dbd2');
INSERT INTO abgleich.fact VALUES ('primary', 'position', '{"timeline":1,"wal":31793976,"next":747}', 4, '\x9dca334a6fbdd4402156a5ded625dd3c');
INSERT INTO abgleich.head VALUES (1, 2, '0b05af2501554e07d49a5caf865951c1', 4, '09f52324d0506e3cb590241ae9dd86fe728d36868853bfce27074669f94aa1fa', 'r4-09f52324', '80516215f8262129', 'postgresql:7713918102678217951:16384', NULL, '\x9c7b2e2aa3d898fab7eb93a738a0ffa3', '\x1ebe5d57d559125239d55fd520f2ea67');
INSERT INTO abgleich.journal VALUES (1, 1, 0, '{}', 'first_load', NULL, '{"rows": 6}', NULL, NULL, NULL, '\x1ae91af038bd41d3a151153c79c4ae43');
INSERT INTO abgleich.journal VALUES (1, 2, 0, '{}', 'first_load', NULL, '{"rows": 4}', NULL, NULL, NULL, '\xf926f3129aea095c20baf5b1515fb4b9');
INSERT INTO abgleich.journal VALUES (2, 1, 1, '{"id":"text:p2_pidfkv2mzwjhpcqkzvmx3g2epq"}', 'primary_deleted', '{"id":"text:p2_pidfkv2mzwjhpcqkzvmx3g2epq","status":"text:done","note":"text:x","phone":"null:"}', NULL, NULL, '\xdbf9d8eee6d96be6a3495eef8d8fb79973d564e48d2ccd2643933c9adf97d46e', NULL, '\x41b784b0237e4dba4455fefed259be4a');
INSERT INTO abgleich.journal VALUES (2, 1, 2, '{"id":"text:p2_twyzzkk273lpanga2u57fc6c5u"}', 'primary_inserted', NULL, '{"id":"text:p2_twyzzkk273lpanga2u57fc6c5u","status":"text:open","note":"null:","phone":"null:"}', NULL, NULL, '\x7af7fa7b13a0f92af2efdb17c5ad84592f24097ebe5cedc91926ebbb763e3885', '\x9e0d7e322e305c2f1a79a11388745206');
INSERT INTO abgleich.journal VALUES (2, 1, 3, '{"id":"text:p2_y2qs2h7vjxt5mto2dxkyb7emgu"}', 'primary_updated', '{"status":"text:open"}', '{"status":"text:case"}', '0100', '\xae2fb80f3d111d71', '\x8edd5740b9302948', '\x199916f3ca2efd366c79d981567fda07');
INSERT INTO abgleich.journal VALUES (2, 2, 1, '{"id":"text:p2_nxxtoqtld5wky25dlirbpdo3om"}', 'primary_deleted', '{"id":"text:p2_nxxtoqtld5wky25dlirbpdo3om","person_id":"text:p2_pidfkv2mzwjhpcqkzvmx3g2epq","result":"text:negative"}', NULL, NULL, '\xa284557aa428e279637ea2190cd0fa8cd9314fa87aec5125', NULL, '\x259a3edc0533d53a2488f5cee7b75b70');
INSERT INTO abgleich.journal VALUES (2, 2, 2, '{"id":"text:p2_sb2fg4bf6wppat243fkx4yjjp4"}', 'primary_inserted', NULL, '{"id":"text:p2_sb2fg4bf6wppat243fkx4yjjp4","person_id":"text:p2_twyzzkk273lpanga2u57fc6c5u","result":"text:positive"}', NULL, NULL, '\x996b4c5194b276022cfe3435956e02d38a42a991a5b9c842', '\xded09745f8aa1eaa385b7d42096c0d99');
INSERT INTO abgleich.journal VALUES (4, 1, 1, '{"id":"text:p2_vi6futrw7yfho5up4eqi7kmyky"}', 'primary_updated', '{"status":"text:open"}', '{"status":"text:done"}', '0100', '\x729e7fd59d92e04f', '\xe488772f2653aace', '\xe68b6bd9a379efdd1ce62a9a7db372f3');
INSERT INTO abgleich.quarantine VALUES (1, '{"id":"text:p2_mid6vy5dn4bvcag2hqal7crrhy"}', 'status', 'not among the contract''s codes', 1, 2, '\x6152076faefdef092a440bb0a4946fda');
INSERT INTO abgleich.run VALUES (1, 'r1-2bf1e9d2', 'sync', '2026-11-30T11:02:00Z', '2026-11-30T11:02:01Z', 'root', NULL, '{"person":{"inserted":6,"updated":0,"deleted":0,"unchanged":0,"conflicts":0,"quarantined":0},"visit":{"inserted":4,"updated":0,"deleted":0,"unchanged":0,"conflicts":0,"quarantined":0}}', 'f89b9d86aff62622f790793f08a02476', '71a2c38349152541835712014c8499d9', '', '2bf1e9d259d026f431d8993ef2b404043097efa1d615b623de1c8d932ae9777c', NULL, 2, '9a8f4ac6ff538040471236b34f95e09cbd251076814cd5fe', '\x38a52b793bbcebd58cf5dc5f6dc73d0b');
INSERT INTO abgleich.run VALUES (2, 'r2-36b1164a', 'sync', '2026-11-30T11:02:01Z', '2026-11-30T11:02:02Z', 'root', NULL, '{"person":{"inserted":1,"updated":1,"deleted":1,"unchanged":2,"conflicts":1,"quarantined":1},"visit":{"inserted":1,"updated":0,"deleted":1,"unchanged":3,"conflicts":0,"quarantined":0}}', '6243db1b6a155d6f872340bca1078dc2', '203484a701194e0336308ac35fe06659', '2bf1e9d259d026f431d8993ef2b404043097efa1d615b623de1c8d932ae9777c', '36b1164a1919f64a1f547281c385662b1bf78445a4a51755c1e9c05c8ead9aed', NULL, 5, '94f27c577ae5901ec969d781660cf67150794357e8283d3f', '\x15a8a651c2133249d74259153c6b7beb');
INSERT INTO abgleich.run VALUES (3, 'r3-cc0d0b93', 'rotate', '2026-11-30T11:02:02Z', '2026-11-30T11:02:02Z', 'root', 'key rotated from epoch 1 to 2', '{"person":{"rekeyed":6},"visit":{"rekeyed":4}}', '7d8559a2204f9711c9a3fca5ba963279', 'c0b686ff22d8e01efe9a06cc12ac3856', '36b1164a1919f64a1f547281c385662b1bf78445a4a51755c1e9c05c8ead9aed', 'cc0d0b93b33b668eb761bfe1518fac5f2cd680a1e7cb0f231960068b6e44302e', NULL, 0, '0cfb3bedeb37199905ea32d4aaa15252d652146b04c7d47e', '\x4848ff303d9901b7ab8a9f9f87658264');
INSERT INTO abgleich.run VALUES (4, 'r4-09f52324', 'sync', '2026-11-30T11:02:03Z', '2026-11-30T11:02:04Z', 'root', NULL, '{"person":{"inserted":0,"updated":1,"deleted":0,"unchanged":3,"conflicts":1,"quarantined":1},"visit":{"inserted":0,"updated":0,"deleted":0,"unchanged":4,"conflicts":0,"quarantined":0}}', 'e913c063143802186b2b7e059082ab8b', '2347908d4b28c7d4f111baf0584ef9f4', 'cc0d0b93b33b668eb761bfe1518fac5f2cd680a1e7cb0f231960068b6e44302e', '09f52324d0506e3cb590241ae9dd86fe728d36868853bfce27074669f94aa1fa', NULL, 1, 'c4be7867f0974a03f0b2ecc516a6b5ecbbfe4d12279f8f42', '\x113a4dedaa7e3040ba3d9ff013e4fc71');
INSERT INTO abgleich.seal VALUES ('base', 2, 4, '891bc3f32dfd8208ac1b75c2534d33ad2d757bf8039ab34e');
INSERT INTO abgleich.seal VALUES ('conflict', 0, 1, '915c879a550f5ec5607a4064c6e8a1adc3dcfb0da10730fd');
INSERT INTO abgleich.seal VALUES ('quarantine', 0, 1, '7f6047aaa14b912982e4584edbe5604a39eb2743ef0e2f4c');
INSERT INTO abgleich.seal VALUES ('tracked', 0, 2, '4ac3cfdb8eb58d99c0442170df16631604aeef5aca401092');
INSERT INTO abgleich.seal VALUES ('base', 1, 6, '1cc55057fa6b563acb52c36904cad66a8eb8dfc538bbb646');
INSERT INTO abgleich.seal VALUES ('fact', 0, 14, '93a5a997b3df1448e7888ee4aa016acad03c3578d8303679');
INSERT INTO abgleich.seal VALUES ('run', 0, 4, '454f8ac9fd8aea41488c720ba63bc48f84636a87b40fb76f');
INSERT INTO abgleich.tracked VALUES (1, 'person', 'person', '["id"]', '[{"label":"id","source":"id","name":"id","family":"text","engine":"postgresql","native":"text","read_as":"integer","nullable":false,"identity":"7713918102678217951/16384/16386.1","pseudonym":{"identity":"person","normalise":"none","format":"text","form":"number 0"}},{"label":"status","source":"status","name":"status","family":"text","engine":"postgresql","native":"text","read_as":"text","identity":"7713918102678217951/16384/16386.3"},{"label":"note","source":"note","name":"note","family":"text","engine":"postgresql","native":"text","read_as":"text","identity":"7713918102678217951/16384/16386.4"},{"label":"phone","source":"phone","name":"phone","family":"text","engine":"postgresql","native":"text","read_as":"text","identity":"7713918102678217951/16384/16386.5","pseudonym":{"identity":"phone","normalise":"phone","format":"text","form":"written"}}]', 1, '\x41b3e5dbf1666c4edf8eb5fb0e96d657');
INSERT INTO abgleich.tracked VALUES (2, 'visit', 'visit', '["id"]', '[{"label":"id","source":"id","name":"id","family":"text","engine":"postgresql","native":"text","read_as":"integer","nullable":false,"identity":"7713918102678217951/16384/16393.1","pseudonym":{"identity":"visit","normalise":"none","format":"text","form":"number 0"}},{"label":"person_id","source":"person_id","name":"person_id","family":"text","engine":"postgresql","native":"text","read_as":"integer","nullable":false,"identity":"7713918102678217951/16384/16393.2","pseudonym":{"identity":"person","normalise":"none","format":"text","form":"number 0 refers"}},{"label":"result","source":"result","name":"result","family":"text","engine":"postgresql","native":"text","read_as":"text","identity":"7713918102678217951/16384/16393.3"}]', 1, '\xfb3e64318aa9fbbdfe0ba1d3233a3506');
INSERT INTO public.person VALUES ('of people', 'open', NULL, NULL);
INSERT INTO public.person VALUES ('p2_2ersqypp2cmqt7skufw6cz5kze', 'case', 'ours', NULL);
INSERT INTO public.person VALUES ('p2_3wb3aufyoys3obwi7zqgov22om', 'case', 'ours', NULL);
INSERT INTO public.person VALUES ('p2_mid6vy5dn4bvcag2hqal7crrhy', 'open', '', NULL);
INSERT INTO public.person VALUES ('p2_twyzzkk273lpanga2u57fc6c5u', 'open', NULL, NULL);
INSERT INTO public.person VALUES ('p2_y2qs2h7vjxt5mto2dxkyb7emgu', 'case', NULL, 'p2_mwsrewz5cx5nnmizm6n5m5lcxy');
INSERT INTO public.person VALUES ('p2_vi6futrw7yfho5up4eqi7kmyky', 'done', 'x', 'p2_rstgnxxy4z6ybi6rcenqpfope4');
INSERT INTO public.visit VALUES ('p2_cwyfj5zxmdxg4pjgxupxyuml2a', 'p2_y2qs2h7vjxt5mto2dxkyb7emgu', 'negative');
INSERT INTO public.visit VALUES ('p2_jba6suh4xj7f4d7xxdfyzxuopq', 'p2_y2qs2h7vjxt5mto2dxkyb7emgu', 'positive');
INSERT INTO public.visit VALUES ('p2_m7l6bgo2o45g66pgcihjv3bsxm', 'p2_2ersqypp2cmqt7skufw6cz5kze', NULL);
INSERT INTO public.visit VALUES ('p2_sb2fg4bf6wppat243fkx4yjjp4', 'p2_twyzzkk273lpanga2u57fc6c5u', 'positive');
ALTER TABLE ONLY abgleich.base_1
    ADD CONSTRAINT base_1_pkey PRIMARY KEY (k0);
ALTER TABLE ONLY abgleich.base_2
    ADD CONSTRAINT base_2_pkey PRIMARY KEY (k0);
ALTER TABLE ONLY abgleich.conflict
    ADD CONSTRAINT conflict_pkey PRIMARY KEY (id);
ALTER TABLE ONLY abgleich.conflict
    ADD CONSTRAINT conflict_tracked_key_text_key UNIQUE (tracked, key_text);
ALTER TABLE ONLY abgleich.fact
    ADD CONSTRAINT fact_pkey PRIMARY KEY (kind, name);
ALTER TABLE ONLY abgleich.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY abgleich.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (epoch, tracked, n);
ALTER TABLE ONLY abgleich.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (tracked, key_text, column_name, reason);
ALTER TABLE ONLY abgleich.run
    ADD CONSTRAINT run_id_key UNIQUE (id);
ALTER TABLE ONLY abgleich.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (epoch);
ALTER TABLE ONLY abgleich.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (what, n);
ALTER TABLE ONLY abgleich.tracked
    ADD CONSTRAINT tracked_pkey PRIMARY KEY (id);
ALTER TABLE ONLY abgleich.tracked
    ADD CONSTRAINT tracked_source_key UNIQUE (source);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id) DEFERRABLE;
