PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE abgleich_head (
  only_row    integer PRIMARY KEY CHECK (only_row = 1),
  format      integer NOT NULL,
  lineage     text NOT NULL,    -- which history this is: a random number of the first run
  epoch       integer NOT NULL, -- number of the last run
  hash        text NOT NULL,    -- of the last run, chained
  run         text NOT NULL,
  key_check   text NOT NULL,    -- tells whether a key is the right one, and nothing else about it
  primary_id  text NOT NULL,    -- which database the primary was in the last run
  paused      text,             -- the reason, where a person has paused the pairing
  seals       blob NOT NULL,    -- MAC over all of seal
  mac         blob NOT NULL
);
INSERT INTO abgleich_head VALUES(1,2,'1a9ee1ff1b952be2b30c3eca9322b7c6',4,'587a571274db26f0922479ce3e084c09da82022bd28aaf809a352a981483c5fc','r4-587a5712','9f8347b56196e096','sqlite',NULL,X'a118832ebccf02eb38a89388026bac5b',X'b7f514b1fedc131b6b6f98198a5ee4ff');
CREATE TABLE abgleich_run (
  epoch    integer PRIMARY KEY,
  id       text NOT NULL UNIQUE,
  kind     text NOT NULL,    -- sync, resolve, accept and others: schemas/stored-formats.md
  started  text NOT NULL,    -- UTC, for people; nothing is decided by it
  finished text NOT NULL,
  operator text NOT NULL,
  reason   text,
  counts   text NOT NULL,    -- JSON: table -> counts
  nonce    text NOT NULL,    -- random: two runs are never the same
  deeds    text NOT NULL,    -- MAC over what the run did: journal, seals, drift
  previous text NOT NULL,    -- hash of the run before
  hash     text NOT NULL,
  purged   text,             -- UTC: when its changes were purged from the journal
  entries  integer NOT NULL, -- how many entries its journal has
  sum      text NOT NULL,    -- what these add up to, as in seal
  mac      blob NOT NULL
);
INSERT INTO abgleich_run VALUES(1,'r1-9ce389f9','sync','2026-11-30T11:01:58Z','2026-11-30T11:01:58Z','root',NULL,'{"person":{"inserted":6,"updated":0,"deleted":0,"unchanged":0,"conflicts":0,"quarantined":0},"visit":{"inserted":4,"updated":0,"deleted":0,"unchanged":0,"conflicts":0,"quarantined":0}}','0bd5f6f7819cf1c95a350258d80b422d','b5a5341d42b8614e954968db018fc2a5','','9ce389f9fdff93d427b0c84055c5dcf1dd39e7de458229605b61f05b5f361a74',NULL,2,'d2d8bd48f754caab3c477c87d04ab0226e215c2a540763d1',X'7b66479701aa2f1f205ac40a1b864680');
INSERT INTO abgleich_run VALUES(2,'r2-10a9c983','sync','2026-11-30T11:01:59Z','2026-11-30T11:01:59Z','root',NULL,'{"person":{"inserted":1,"updated":1,"deleted":1,"unchanged":2,"conflicts":1,"quarantined":1},"visit":{"inserted":1,"updated":0,"deleted":1,"unchanged":3,"conflicts":0,"quarantined":0}}','ffdec13d5a8b7301e6772376b4e22099','fc59d501b1e0ff4d641b296f0144e340','9ce389f9fdff93d427b0c84055c5dcf1dd39e7de458229605b61f05b5f361a74','10a9c983ffe9597f9b9ce21fc35949cba0d239bc846a84852eaadd6fc6b9a4b7',NULL,5,'a7457b077d3c9eb7f4335727257ce8819dbc788ad1f02d67',X'2541682e80fca85651c1aa6d4fc4e4ca');
INSERT INTO abgleich_run VALUES(3,'r3-bab55d19','rotate','2026-11-30T11:01:59Z','2026-11-30T11:01:59Z','root','key rotated from epoch 1 to 2','{"person":{"rekeyed":6},"visit":{"rekeyed":4}}','3904335f867b09965e026b3d687d926f','b4e6687b9b9d9119e9674a423eceb303','10a9c983ffe9597f9b9ce21fc35949cba0d239bc846a84852eaadd6fc6b9a4b7','bab55d19fb90027ad262023a459321b7f8eba1fce6d1a6b229fa6a2c7a3873e6',NULL,0,'a968a269f6cdffd57b0d8c8aa2c5be6d5d44d8dc0b7c869f',X'ef39176d720fcd87328af1eacf1a0e89');
INSERT INTO abgleich_run VALUES(4,'r4-587a5712','sync','2026-11-30T11:01:59Z','2026-11-30T11:01:59Z','root',NULL,'{"person":{"inserted":0,"updated":1,"deleted":0,"unchanged":3,"conflicts":1,"quarantined":1},"visit":{"inserted":0,"updated":0,"deleted":0,"unchanged":4,"conflicts":0,"quarantined":0}}','007787e5d75d5c86dbcb6c1f2e902faf','a5b0e9d65be76100741e184e6834bb05','bab55d19fb90027ad262023a459321b7f8eba1fce6d1a6b229fa6a2c7a3873e6','587a571274db26f0922479ce3e084c09da82022bd28aaf809a352a981483c5fc',NULL,1,'c0eb47b90d7fb14d6851cf91ab5a90e6a07d5c7dbd4c7ebd',X'77b5a4f9bf85175db55e224678b1a9ca');
CREATE TABLE abgleich_tracked (
  id          integer PRIMARY KEY,
  source      text NOT NULL UNIQUE, -- name in the primary
  target      text NOT NULL,        -- name in the secondary
  key_columns text NOT NULL,        -- JSON: names in the primary
  columns     text NOT NULL,        -- JSON: names in the primary, in the order of base_N.cells
  since       integer NOT NULL,     -- the run that gave the columns this order
  mac         blob NOT NULL
);
INSERT INTO abgleich_tracked VALUES(1,'person','person','["id"]','[{"label":"id","source":"id","name":"id","family":"text","engine":"postgresql","native":"text","read_as":"INTEGER","nullable":false,"pseudonym":{"identity":"person","normalise":"none","format":"text","form":"number 0"}},{"label":"status","source":"status","name":"status","family":"text","engine":"sqlite","native":"TEXT","read_as":"TEXT"},{"label":"note","source":"note","name":"note","family":"text","engine":"sqlite","native":"TEXT","read_as":"TEXT"},{"label":"phone","source":"phone","name":"phone","family":"text","engine":"postgresql","native":"text","read_as":"TEXT","pseudonym":{"identity":"phone","normalise":"phone","format":"text","form":"written"}}]',1,X'5a505a12e71399381421c89dab066f17');
INSERT INTO abgleich_tracked VALUES(2,'visit','visit','["id"]','[{"label":"id","source":"id","name":"id","family":"text","engine":"postgresql","native":"text","read_as":"INTEGER","nullable":false,"pseudonym":{"identity":"visit","normalise":"none","format":"text","form":"number 0"}},{"label":"person_id","source":"person_id","name":"person_id","family":"text","engine":"postgresql","native":"text","read_as":"INTEGER","nullable":false,"pseudonym":{"identity":"person","normalise":"none","format":"text","form":"number 0 refers"}},{"label":"result","source":"result","name":"result","family":"text","engine":"sqlite","native":"TEXT","read_as":"TEXT"}]',1,X'3de8ef87d2b29b4f24c6ebe6a7a4f7b1');
CREATE TABLE abgleich_journal (
  epoch    integer NOT NULL,
  tracked  integer NOT NULL,
  n        integer NOT NULL,
  key_text text NOT NULL, -- JSON, in the secondary's terms
  fate     text NOT NULL,
  before   text,          -- JSON: the cells as they were
  after    text,          -- JSON: the cells as the run left them; both null: only the base changed
  moved    text,          -- of a base row that stays: for each cell '1' where it changed, else '0'
  base_before blob,       -- its cells in base_N (with `moved`: those that changed); null: no row
  base_after  blob,
  mac         blob NOT NULL,
  PRIMARY KEY (epoch, tracked, n)
);
INSERT INTO abgleich_journal VALUES(1,1,0,'{}','first_load',NULL,'{"rows": 6}',NULL,NULL,NULL,X'd54034785956df023faec454ad385fa5');
INSERT INTO abgleich_journal VALUES(1,2,0,'{}','first_load',NULL,'{"rows": 4}',NULL,NULL,NULL,X'19b3a88c40e6b6a8eb6d38d09168122a');
INSERT INTO abgleich_journal VALUES(2,1,1,'{"id":"text:p2_dgk4ql3p6fikhgjacpcbl2ylcm"}','primary_deleted','{"id":"text:p2_dgk4ql3p6fikhgjacpcbl2ylcm","status":"text:done","note":"text:x","phone":"null:"}',NULL,NULL,X'04828af1dad8bb9f43192258574b50327b47d9fea5e9b5463119a56bbddf39b0',NULL,X'53d4ca851346a1200767364bb95db4a2');
INSERT INTO abgleich_journal VALUES(2,1,2,'{"id":"text:p2_jufmafko5kobzgr5jstmqovwui"}','primary_updated','{"status":"text:open"}','{"status":"text:case"}','0100',X'6e42bc6bf596d8e9',X'c1811ba9cae3427e',X'b7a3d8f207c6c1d274762ed8471f84e4');
INSERT INTO abgleich_journal VALUES(2,1,3,'{"id":"text:p2_xqxzpfhtqtxvisciv6ddxg57r4"}','primary_inserted',NULL,'{"id":"text:p2_xqxzpfhtqtxvisciv6ddxg57r4","status":"text:open","note":"null:","phone":"null:"}',NULL,NULL,X'efd8f926c55401e1cadf7a33206014170934eb933206e626326400c02416e0c4',X'5430aa3cdc3085e41c0a61edafae0f03');
INSERT INTO abgleich_journal VALUES(2,2,1,'{"id":"text:p2_5zmbw5oqq4zajfiuqjuqjicotu"}','primary_deleted','{"id":"text:p2_5zmbw5oqq4zajfiuqjuqjicotu","person_id":"text:p2_dgk4ql3p6fikhgjacpcbl2ylcm","result":"text:negative"}',NULL,NULL,X'880a55d3cee7e097e0c6e805a7cae3a6be12d242ea92f993',NULL,X'99230b8d202583e533f020fbddf65bff');
INSERT INTO abgleich_journal VALUES(2,2,2,'{"id":"text:p2_pyjgsh7rr2nip4jgxd3pleg4li"}','primary_inserted',NULL,'{"id":"text:p2_pyjgsh7rr2nip4jgxd3pleg4li","person_id":"text:p2_xqxzpfhtqtxvisciv6ddxg57r4","result":"text:positive"}',NULL,NULL,X'f7fe785c072fd7c7e53d283f20e51f123b96abb0618a3845',X'dd998703faeda2ef2946ff96ee7f2253');
INSERT INTO abgleich_journal VALUES(4,1,1,'{"id":"text:p2_xaxmo4gdutq75ymc2zuxq5unt4"}','primary_updated','{"status":"text:open"}','{"status":"text:done"}','0100',X'0795964fea10a92c',X'749683bfc79d24cc',X'9f7633d14c52272db9645f87d544ef43');
CREATE TABLE abgleich_conflict (
  id       text PRIMARY KEY, -- made from the content: when that changes, the id changes
  tracked  integer NOT NULL,
  key_text text NOT NULL,
  kind     text NOT NULL,
  detail   text NOT NULL,    -- JSON: both sides of every cell in conflict
  epoch    integer NOT NULL, -- the run that found it
  mac      blob NOT NULL,
  UNIQUE (tracked, key_text)
);
INSERT INTO abgleich_conflict VALUES('15c8ac60f627',1,'{"id":"text:p2_cod55lf6u3nsus7q7xnzrx3sqy"}','both_updated','{"columns":{"note":{"primary":"text:theirs","secondary":"text:ours","digest":"3615f88b9a84a40d"}}}',2,X'1694866e6a6b1d610a3ba922b3f89e5c');
CREATE TABLE abgleich_quarantine (
  tracked     integer NOT NULL,
  key_text    text NOT NULL, -- JSON, in the secondary's terms; the text null where it has no key
  column_name text NOT NULL, -- in the secondary; empty: the row as a whole
  reason      text NOT NULL,
  rows        integer NOT NULL,
  epoch       integer NOT NULL,
  mac         blob NOT NULL,
  PRIMARY KEY (tracked, key_text, column_name, reason)
);
INSERT INTO abgleich_quarantine VALUES(1,'{"id":"text:p2_e5chpcjme7qdis3ta5np4u6gym"}','status','not among the contract''s codes',1,2,X'fb27300ab13d11f4d0f90a669573e44f');
CREATE TABLE abgleich_seal (
  what text NOT NULL, -- base, conflict, fact, quarantine, run, tracked
  n    integer NOT NULL,
  rows integer NOT NULL,
  sum  text NOT NULL, -- of what each row adds, hidden: 32 random hexadecimal digits, 16 of the sum
  PRIMARY KEY (what, n)
);
INSERT INTO abgleich_seal VALUES('base',1,6,'2eda499ed7235de894da1ea62f8d69ef8678de202f7f2fb0');
INSERT INTO abgleich_seal VALUES('base',2,4,'cea27dbb381d5dc5d194443dd4641eefbf3fb652c78ed6f7');
INSERT INTO abgleich_seal VALUES('fact',0,13,'12d35d4af90a0206709c9585ca563b87a9ebb57451c5e4c2');
INSERT INTO abgleich_seal VALUES('tracked',0,2,'06b41d610e2d4b69dff4a8f67f640b8cf0a16ab38d83f13f');
INSERT INTO abgleich_seal VALUES('run',0,4,'c2b2e9e0ce293cf96e0e8a29983ab01b3f0dc371e44e4286');
INSERT INTO abgleich_seal VALUES('conflict',0,1,'7a969922be1e1045950d674531d1b7de5d84064def202b89');
INSERT INTO abgleich_seal VALUES('quarantine',0,1,'a9a6e978da3e1a378c8f33855246771741c1e899e6813db1');
CREATE TABLE abgleich_fact (
  kind  text NOT NULL,
  name  text NOT NULL,
  value text NOT NULL,    -- JSON
  epoch integer NOT NULL, -- the run that wrote it
  mac   blob NOT NULL,
  PRIMARY KEY (kind, name)
);
INSERT INTO abgleich_fact VALUES('catalogue','accepted','{"sha256":"52fda82f7e4d6fa0d05e1b6c8c96e67e8b359b67c11fe9f3685f008968764421"}',1,X'204850bac2118c170d1ea08e7db617cc');
INSERT INTO abgleich_fact VALUES('layout','1','"key"',3,X'5b6355a3885901945c77da151ec3b8c7');
INSERT INTO abgleich_fact VALUES('layout','2','"key"',3,X'3f05a64b19031d160d8f9cc7421b8a6a');
INSERT INTO abgleich_fact VALUES('leaves','person','{"columns":{"id":{"class":"pseudonym","identity":"person","normalise":"none","format":"automatic"},"note":{"class":"plain"},"phone":{"class":"pseudonym","identity":"phone","normalise":"phone","format":"automatic"},"status":{"class":"plain","codes":["0495bbac7b3266e2","71b7f2d7871cbc01","a30510f4aefa993b"]}}}',1,X'd38aad072ff08cb3827abf9f6a142866');
INSERT INTO abgleich_fact VALUES('leaves','visit','{"columns":{"id":{"class":"pseudonym","identity":"visit","normalise":"none","format":"automatic"},"person_id":{"class":"pseudonym","identity":"person","normalise":"none","format":"automatic"},"result":{"class":"plain"}}}',1,X'bf240a724cc5e29f573fc8559a8d20f2');
INSERT INTO abgleich_fact VALUES('constraint','1','[]',1,X'd652ba59dc7a96953ce95e562799ae4a');
INSERT INTO abgleich_fact VALUES('constraint','2','[{"columns":["person_id"],"parent":1,"referenced":["id"],"maker":"program","name":""}]',1,X'72a57139187ed7cd6e541cc7c245bd71');
INSERT INTO abgleich_fact VALUES('column','1','{"table":0,"columns":4,"of":{"id":{"at":1,"type":"TEXT","nullable":false},"note":{"at":3,"type":"TEXT","nullable":true},"phone":{"at":4,"type":"TEXT","nullable":true},"status":{"at":2,"type":"TEXT","nullable":true}}}',1,X'7e043ccee735b7fc6ebf894232df1746');
INSERT INTO abgleich_fact VALUES('column','2','{"table":0,"columns":3,"of":{"id":{"at":1,"type":"TEXT","nullable":false},"person_id":{"at":2,"type":"TEXT","nullable":true},"result":{"at":3,"type":"TEXT","nullable":true}}}',1,X'0083035b53bf05a747945ddd1e2e307f');
INSERT INTO abgleich_fact VALUES('primary_tables','all','{"50ce97e0942ba023":{"since":1},"b000b47dc27d8242":{"since":1}}',1,X'aab0936722b1dc96dc247ba966227c9b');
INSERT INTO abgleich_fact VALUES('primary_columns','person','{"table":"","columns":{"35d3139350a7b9f8":{"place":4,"since":1},"4855f2f0d259080d":{"place":3,"since":1},"6ea8fcababb13693":{"place":5,"since":1},"c444f2422ce8f300":{"place":1,"since":1},"c4a35a34204eb2f9":{"place":2,"since":1}}}',1,X'befbeab99741ed33f0dea0cdb47b20a1');
INSERT INTO abgleich_fact VALUES('primary_columns','visit','{"table":"","columns":{"1fe7df73ebb4510b":{"place":3,"since":1},"5ad09332e7ff7747":{"place":2,"since":1},"c444f2422ce8f300":{"place":1,"since":1}}}',1,X'b62adaa1d36de8cc4f83b668c120dfd8');
INSERT INTO abgleich_fact VALUES('primary','position','{"changes":12}',4,X'6f294c55d6928afa6f14e7ef2e933b72');
CREATE TABLE IF NOT EXISTS "person" ("id" TEXT NOT NULL, "status" TEXT, "note" TEXT, "phone" TEXT, PRIMARY KEY ("id"));
INSERT INTO person VALUES('of people','open',NULL,NULL);
INSERT INTO person VALUES('p2_cod55lf6u3nsus7q7xnzrx3sqy','case','ours',NULL);
INSERT INTO person VALUES('p2_e5chpcjme7qdis3ta5np4u6gym','open','',NULL);
INSERT INTO person VALUES('p2_fohgbobgftgjz27egdfn2awqz4','case','ours',NULL);
INSERT INTO person VALUES('p2_jufmafko5kobzgr5jstmqovwui','case',NULL,'p2_7pcsqcznma5ga5t5zzkxxcgi7q');
INSERT INTO person VALUES('p2_xaxmo4gdutq75ymc2zuxq5unt4','done','x','p2_bpobu45i3sf5mjxozkr7pnea6y');
INSERT INTO person VALUES('p2_xqxzpfhtqtxvisciv6ddxg57r4','open',NULL,NULL);
CREATE TABLE IF NOT EXISTS "visit" ("id" TEXT NOT NULL, "person_id" TEXT, "result" TEXT, PRIMARY KEY ("id"), FOREIGN KEY ("person_id") REFERENCES "person" ("id") DEFERRABLE INITIALLY IMMEDIATE);
INSERT INTO visit VALUES('p2_pyjgsh7rr2nip4jgxd3pleg4li','p2_xqxzpfhtqtxvisciv6ddxg57r4','positive');
INSERT INTO visit VALUES('p2_sbikudyv3qtgnrikpjts324zyq','p2_cod55lf6u3nsus7q7xnzrx3sqy',NULL);
INSERT INTO visit VALUES('p2_vy5vxtpydm722wuxcf6xcjidjq','p2_jufmafko5kobzgr5jstmqovwui','negative');
INSERT INTO visit VALUES('p2_yzxbgif62p2nnxj67tz2pgeytu','p2_jufmafko5kobzgr5jstmqovwui','positive');
CREATE TABLE IF NOT EXISTS "abgleich_base_1" (k0 TEXT NOT NULL, cells BLOB NOT NULL, PRIMARY KEY (k0));
INSERT INTO abgleich_base_1 VALUES('p2_cod55lf6u3nsus7q7xnzrx3sqy',X'ab708d4f78f1248f6ab9e9f6503ddb75727b95e6d038facf5611e22df7470682');
INSERT INTO abgleich_base_1 VALUES('p2_e5chpcjme7qdis3ta5np4u6gym',X'79221d2c0d8b25b23ccef44d4351fc5754c2dbe5fd6c922b3541211edeafd43d');
INSERT INTO abgleich_base_1 VALUES('p2_fohgbobgftgjz27egdfn2awqz4',X'fffc079177f99e16b88e200efce66dff90a590ca6fbeff67a4c53f0b7a29fca3');
INSERT INTO abgleich_base_1 VALUES('p2_jufmafko5kobzgr5jstmqovwui',X'a6f494583e7777e9c1811ba9cae3427e5cb4a770e7ab386171134cba4e28f152');
INSERT INTO abgleich_base_1 VALUES('p2_xaxmo4gdutq75ymc2zuxq5unt4',X'97da332c1c14f76d749683bfc79d24cc01a966c2158ee927189323e4aa5c7c28');
INSERT INTO abgleich_base_1 VALUES('p2_xqxzpfhtqtxvisciv6ddxg57r4',X'efd8f926c55401e1cadf7a33206014170934eb933206e626326400c02416e0c4');
CREATE TABLE IF NOT EXISTS "abgleich_base_2" (k0 TEXT NOT NULL, cells BLOB NOT NULL, PRIMARY KEY (k0));
INSERT INTO abgleich_base_2 VALUES('p2_pyjgsh7rr2nip4jgxd3pleg4li',X'f7fe785c072fd7c7e53d283f20e51f123b96abb0618a3845');
INSERT INTO abgleich_base_2 VALUES('p2_sbikudyv3qtgnrikpjts324zyq',X'6886fd38d2a2f70ea78539c29c5e34cde57edcfb71984e81');
INSERT INTO abgleich_base_2 VALUES('p2_vy5vxtpydm722wuxcf6xcjidjq',X'75c0b5ae14ef9e25d0897df328a34a067dcc26d61845ebd8');
INSERT INTO abgleich_base_2 VALUES('p2_yzxbgif62p2nnxj67tz2pgeytu',X'6c0be0b80a38ad95416df9dce71e79b12f6500a545b5a798');
COMMIT;
