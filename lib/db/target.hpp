// The secondary: one transaction in which a run stages what the primary has, pairs it with base and
// data, plans and applies.
#pragma once

#include "core/catalog.hpp"
#include "core/digest.hpp"
#include "core/endpoint.hpp"
#include "core/value.hpp"
#include "db/adaptation.hpp"
#include "db/anonymity.hpp"
#include "db/books.hpp"
#include "db/clauses.hpp"
#include "db/constraint_statements.hpp"
#include "db/constraints.hpp"
#include "db/equality.hpp"
#include "db/plan_statements.hpp"
#include "db/relation.hpp"
#include "db/session.hpp"
#include "db/sorted_rows.hpp"
#include "db/stage_statements.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::db {

/// Whether a run may change the secondary. A dry one works in temporary tables and rolls back.
enum class Mode : std::uint8_t { dry, real };

struct RekeyWork;  // rekey_statements.hpp

/// One row as the three have it. `primary_cells` and `base_cells` are packed digests; absent where
/// that side does not have the row. The rows are reused between calls.
struct Pair {
  Row primary;  // where absent: only the key's cells are set
  std::optional<std::string> primary_cells;
  std::optional<std::string> base_cells;
  Row secondary;
  bool in_secondary = false;
};

/// What is to be done with one row.
struct PlanRow {
  PlanAction action = PlanAction::agree;
  std::string mask;  // a character a cell: '0' not written, '1' written, '2' written over an edit
  std::optional<std::string> cells;      // base afterwards, packed; absent: no row in it
  std::optional<std::string_view> base;  // base until now, likewise; REQUIRED to be what it is
  std::string_view fate;
  std::string key_text;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

class Target {
 public:
  /// Connects and begins the transaction.
  Target(const Endpoint& endpoint, Mode mode);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target();  // rolls back what was not committed

  [[nodiscard]] const Dialect& dialect() const { return *session_.dialect; }
  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] Books& books() { return *books_; }

  /// Which database this is; see `identity_of`.
  [[nodiscard]] std::string identity() { return identity_of(session_); }

  /// Reads the secondary's catalogue in this transaction.
  void load_catalog();

  /// Fills in `held` of every column: the secondary's own column where it is there, otherwise the
  /// one that would be made, and clears `renamed_from` of a relation whose table is not to be
  /// renamed any more. Returns the DDL that the secondary lacks for these relations and their
  /// bases, in order; empty where it lacks nothing. Throws Failure{secondary_refuses} where an
  /// existing table cannot serve (a generated column, no unique key over the contract's key).
  std::vector<std::string> missing_ddl(std::vector<Relation>& relations) const;

  /// The statements that would take back what `missing_ddl` says of the data's tables, as they are
  /// now; of the bookkeeping nothing.
  [[nodiscard]] std::vector<std::string> undo_ddl(const std::vector<Relation>& relations) const;

  /// The statements with which an administrator would give this role the rights that a run needs
  /// and that it lacks, for these relations, of which `ddl` is missing. Empty for SQLite, which
  /// has no roles.
  std::vector<std::string> missing_rights(const std::vector<Relation>& relations,
                                          const std::vector<std::string>& ddl);

  /// Whether a foreign key of a table of the secondary is written as this program writes its own.
  [[nodiscard]] bool is_ours(const std::string& table, const CatalogForeignKey& key) const;

  /// The statements that make `new_keys`, of those that every row keeps now.
  std::vector<std::string> lacking_constraints(const std::vector<Relation>& relations);
  /// Makes `new_keys`, and NOT NULL where the primary has it from now on, as far as the secondary's
  /// rows allow; returns what was executed.
  std::vector<std::string> add_constraints(const std::vector<Relation>& relations);

  /// What others could put in the way of a run, or let run with this role's rights, in words: who
  /// else may create where names are looked up, and tables of these relations or of the bookkeeping
  /// with an owner that nobody expects, or with triggers. Empty for SQLite.
  std::vector<std::string> strangers(const std::vector<Relation>& relations);

  /// Runs DDL and reads the catalogue again.
  void execute_ddl(const std::vector<std::string>& statements);

  /// For a dry run: temporary stand-ins for the tables, columns and bases that are missing.
  void stand_in(const Relation& relation);

  /// Whether the relation's data is such a stand-in.
  [[nodiscard]] bool stands_in(const Relation& relation) const;

  /// Whether data and base are the real ones.
  [[nodiscard]] bool stands(const Relation& relation) const;

  /// Whether the relation's data cannot become anything else than what is written to it: a plain
  /// table of PostgreSQL, of exactly the exported types, without triggers, rules, heirs or foreign
  /// keys of its own that change it. Then what a statement says that it did is what was done.
  [[nodiscard]] bool stores_as_sent(const Relation& relation);

  /// Begins with a relation. Its temporary tables are made when the first row is staged: one in
  /// which nothing changes costs the secondary nothing. REQUIRES: `held` is filled in, `id` is set.
  void prepare(const Relation& relation);
  /// Makes them at once.
  void make_staging(const Relation& relation) { (void)staging(relation); }

  /// Takes the primary's rows: with their digests, or held back, when only their key counts.
  /// `refused` gets the ordinal of rows that the secondary's types would not take.
  class Stage {
   public:
    Stage(Target& target, const Relation& relation, Loader::Refused refused);
    void add(const Row& row, std::string_view cells, std::string_view mark = {});
    void hold(const Row& key_cells, std::string_view mark = {});
    /// Sends what is buffered; `refused` is called for no row before this point any more.
    void flush();
    /// After the last row of the table: makes the stage ready to be paired.
    void finish();

   private:
    Loader& loader();

    Target& target_;
    const Relation& relation_;
    Loader::Refused refused_;
    std::unique_ptr<Loader> loader_;  // from the first row on
    std::vector<Cell> cells_;
    std::vector<std::string> scratch_;
  };

  /// Takes keys of rows that the primary may no longer have, where it was not read whole. Keys that
  /// the stage has as well do no harm.
  class Gone {
   public:
    Gone(Target& target, const Relation& relation);
    void add(const Row& key_cells, std::string_view mark);
    void finish();

   private:
    Target& target_;
    const Relation& relation_;
    std::unique_ptr<Loader> loader_;
    std::vector<Cell> cells_;
    std::vector<std::string> scratch_;
  };

  /// Rows of the stage that belong, by a foreign key, to rows of other tables that are held back
  /// for being rare: they are held back as well. Returns how many. REQUIRES: the parents are
  /// staged.
  std::int64_t hold_with_rare(const Relation& relation);

  /// Keys that the stage holds more than once; all their rows are then held back.
  void hold_duplicates(const Relation& relation, const std::function<void(const Row&)>& on_key);

  using OnPair = std::function<void(Pair&)>;
  /// Rows whose primary side is not as the base has it.
  void changed_pairs(const Relation& relation, const OnPair& on_pair);
  /// Every row of the primary that is not held back.
  void staged_pairs(const Relation& relation, const OnPair& on_pair);
  /// Rows of the base that the primary no longer has.
  void missing_pairs(const Relation& relation, const OnPair& on_pair);
  /// Rows of the base that were named as gone, and that the stage does not have.
  void gone_pairs(const Relation& relation, const OnPair& on_pair);

  /// A row that a run leaves open, after its writes. `staged` and `base` are packed digests, empty
  /// where the row is held back or the base does not have it.
  using OnOpen = std::function<void(const Row& key, std::string_view mark, std::string_view staged,
                                    std::string_view base)>;
  enum class OpenRows : std::uint8_t { held, all };
  void open_rows(const Relation& relation, OpenRows which, const OnOpen& on_open);
  /// Rows that the base still has although the primary does not: of those that were named as gone,
  /// or, where the primary was staged whole, of all, then without a mark.
  enum class AbsentRows : std::uint8_t { named, unstaged };
  void absent_rows(const Relation& relation, AbsentRows which,
                   const std::function<void(const Row& key, std::string_view mark)>& on_row);
  /// Marks of staged rows that the base does not have.
  void new_marks(const Relation& relation, const std::function<void(std::string_view)>& on_mark);
  /// Whether the base has staged rows that were not named as gone: two rows have one key.
  [[nodiscard]] bool doubtful(const Relation& relation);

  /// Rows in the base, whether or not the secondary still has them.
  std::int64_t base_rows(const Relation& relation);
  /// Whether there are none, without counting them.
  [[nodiscard]] bool base_is_empty(const Relation& relation);

  // For `verify`: with `staged_pairs` and `missing_pairs`, every row that any of the three has,
  // once.
  /// Rows of the base that the primary has, but that are held back.
  void held_pairs(const Relation& relation, Held which, const OnPair& on_pair);
  /// Rows that are held back for being rare, and who has them all the same.
  struct RareRow {
    Row key;  // of which the key's cells are set
    bool in_base = false;
    bool in_secondary = false;
  };
  void rare_rows(const Relation& relation, const std::function<void(const RareRow&)>& on_row);
  /// Rows that the secondary alone has.
  void secondary_only(const Relation& relation, const OnPair& on_pair);

  /// What the base of a tracked table is, and what the last run that wrote it says that it is.
  struct Base {
    bool exists = false;
    Seal seal;
    std::int64_t misfits = 0;  // rows that do not have one digest a column
  };
  [[nodiscard]] Base measure_base(const Relation& relation);
  /// The same, and streams its rows, of which the key cells are set. Nothing else may run on the
  /// secondary meanwhile. REQUIRES: the base exists.
  using OnBase = std::function<void(const Row& key, std::string_view cells)>;
  Base read_base(const Relation& relation, const OnBase& on_row);
  /// Streams the rows of the data in the bytes that `RowBytes` makes of them, with the key's cells.
  /// Nothing else may run on the secondary meanwhile.
  using OnData = std::function<void(const Row& key, std::string_view bytes)>;
  void read_data(const Relation& relation, const OnData& on_row);
  /// The base's rows while other statements run.
  void each_base(const Relation& relation, const OnBase& on_row);
  [[nodiscard]] Seal base_seal(const Relation& relation);
  /// The statements that drop the bases of tables that are not tracked; forgets their seals.
  std::vector<std::string> drop_untracked_bases();
  /// Seals the base as it is now.
  void seal_base(const Relation& relation);
  /// Rows of the plan, once it is finished.
  [[nodiscard]] std::int64_t planned(const Relation& relation) const;

  /// Takes the plan's rows; numbers them from 1.
  class Plan {
   public:
    /// `images` says what the journal is to know of rows that are deleted.
    Plan(Target& target, const Relation& relation, BeforeImages images = BeforeImages::keep);
    void add(const PlanRow& row, const Row& values);
    void finish();
    [[nodiscard]] std::int64_t rows() const { return rows_; }

   private:
    Target& target_;
    const Relation& relation_;
    BeforeImages images_;
    LockedSipKey base_key_;
    std::unique_ptr<Loader> loader_;
    void seal(const PlanRow& row);
    /// What the journal is to know of the base, where that is less than all of it.
    static BaseMove to_journal(const PlanRow& row);
    /// The MAC of the journal entry that the row becomes.
    std::string seal_entry(const PlanRow& row, const BaseMove& base);

    std::int64_t rows_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::string> scratch_;
    std::vector<Cell> key_;
    std::string sum_bytes_;
  };

  /// Whether a first load may go into all of these tables without a plan: PostgreSQL, all of them
  /// and their bases empty, and no triggers. REQUIRES: they exist.
  [[nodiscard]] bool may_fill(const std::vector<Relation>& relations);
  /// Takes the keys and foreign keys off those of the tables that this transaction has made, and
  /// puts them on again when the rows are there. `end_fill` is false where the rows break them, or
  /// where a row that is held back has the key of one that was loaded: then, as after a Fault in
  /// between, `abandon_fill` makes everything as it was.
  void begin_fill(const std::vector<Relation>& relations);
  [[nodiscard]] bool end_fill(const std::vector<Relation>& relations);
  void abandon_fill();
  /// Why this machine could not keep the rows of a first load until they were sorted; empty: it
  /// could.
  [[nodiscard]] const std::string& rows_not_kept() const { return rows_not_kept_; }

  /// Takes rows into a table and its base, where they end up in the order of their keys.
  class Fill {
   public:
    /// Rows that do not fit into memory wait in `directory`, encrypted.
    Fill(Target& target, const Relation& relation, std::filesystem::path directory);
    void add(const Row& row, std::string_view cells);
    /// Runs `load`, which adds all rows. They may still be on their way when this returns. False
    /// where the secondary refused a row, of this table or of one before: then nothing more is
    /// possible in this transaction but `abandon_fill`.
    bool try_all(const std::function<void()>& load);
    /// Rows that were left out since they belong to one that is held back for being rare.
    [[nodiscard]] std::int64_t left_out() const { return left_out_; }

   private:
    void begin();
    void leave_out_rare();
    /// In the order of their keys, while the caller does something else.
    void lay_down();

    Target& target_;
    const Relation& relation_;
    std::filesystem::path directory_;
    bool sealed_;  // the seal can be made from what is sent
    std::shared_ptr<SortedRows> rows_;
    std::string order_;
    std::unique_ptr<Loader> loader_;  // where the secondary sorts
    std::vector<Cell> cells_;
    std::vector<Cell> key_;
    std::vector<std::string> scratch_;
    LockedSipKey base_key_;
    std::string sum_bytes_;
    Seal seal_;
    std::int64_t left_out_ = 0;
  };

  [[nodiscard]] bool data_is_empty(const Relation& relation);
  /// First load: the whole stage into an empty table and its base, without a plan. Returns the
  /// number of rows, or nothing where a constraint refused (then nothing was written).
  std::optional<std::int64_t> fill(const Relation& relation);

  /// Applies the plans of all relations (parents before children) in sets. Rows that the
  /// secondary's constraints refuse are left out and marked so; everything else is applied. In a
  /// dry run this is a rehearsal, which leaves out tables that do not exist yet. Throws
  /// Failure{secondary_refuses} where the secondary undoes or adds to it without a word.
  void apply(const std::vector<Relation>& relations);

  /// Ends the rehearsal that `apply` is in a dry run: data and base are as they were, and the plan
  /// remembers which rows were refused. REQUIRES: Mode::dry, after `apply`.
  void take_back();

  /// The plan's rows that are not refused, in order. `mask`, `cells` and `fate` are left empty.
  void planned_rows(const Relation& relation, const std::function<void(const PlanRow&)>& on_row);

  struct Refused {
    std::int64_t n = 0;  // in the plan
    PlanAction action = PlanAction::refused_insert;
    std::string mask;
    std::string key_text;
    std::optional<std::string> cells;
    Row row;  // the planned values, where the mask says so
  };
  void refused_rows(const Relation& relation, const std::function<void(const Refused&)>& on_row);

  /// What a refused row would have broken.
  struct Obstacle {
    std::string kind;        // "unique", "foreign_key", "check", "not_null", "trigger", …
    std::string constraint;  // its name or columns, where the engine says it
    std::string table;       // of the row in the way, or of the one that is missing; empty: none
    std::vector<std::pair<std::string, Value>> key;  // of that row
  };
  Obstacle obstacle(const Relation& relation, const Refused& refused);

  /// Takes rows out of a plan, before it is applied, that refer to rows of `parent` with these
  /// values, whole rows of the primary, by the foreign key `key` of the relation: in the secondary
  /// others stand under their keys, or none yet. Gives how many.
  std::int64_t hold_references(const Relation& relation, std::size_t key, const Relation& parent,
                               const std::vector<Row>& rows);

  /// Reads back every row that was inserted or updated, with the plan's mask and base.
  void written_rows(const Relation& relation,
                    const std::function<void(std::string_view mask, std::string_view cells,
                                             const Row& row)>& on_row);

  /// What was applied goes into the journal, and the base forward to what the plan says, and its
  /// seal with it.
  void settle(const Relation& relation);

  /// Rewrites `cells` of every base row: for a contract whose exported columns are others now.
  void rewrite_base(const Relation& relation,
                    const std::function<std::string(const Row& key, std::string_view cells)>& next);

  /// A value that somebody has typed, as the column will hold it; no text: NULL. Throws
  /// Failure{usage} where the column cannot.
  Value literal(const RelationColumn& column, const std::optional<std::string>& text);

  /// Sets a column that the relation does not export to NULL in every row.
  void empty_column(const Relation& relation, const std::string& column);

  /// The secondary's row of a key, if it has it.
  std::optional<Row> find_row(const Relation& relation, const Row& key);
  std::optional<std::string> find_base(const Relation& relation, const Row& key);

  /// How many subjects share what could tell who they are. Empty where the table or one of the
  /// columns is not there. REQUIRES: `load_catalog` was called; there are quasi-identifiers.
  std::optional<Anonymity> anonymity(const AnonymityQuestion& question);
  /// The same of those that are alone in everything that leaves unhidden.
  std::optional<Uniqueness> uniqueness(const UniquenessQuestion& question);
  /// How many different values each column has, NULL being one; 0 where there is no such column.
  std::vector<std::int64_t> count_values(const std::string& table,
                                         const std::vector<std::string>& columns);

  // For the rotation of the key, in lib/db/target_rekey.cpp.
  /// Takes the rows of one table as they are to be. `prepare` has been called for the relation.
  class Rekey {
   public:
    /// `becomes`: the relation with the key that rows are known by from now on, and the same
    /// columns in front.
    Rekey(Target& target, const Relation& relation, const Relation& becomes);
    Rekey(Target& target, const Relation& relation) : Rekey(target, relation, relation) {}
    /// `was` holds the row's key until now, `row` its cells from now on, of which both keys and
    /// pseudonyms count. `cells`: its base from now on, packed.
    enum class Data : std::uint8_t { as_it_is, changes };
    void add(const Row& was, const Row& row, Data data, const std::optional<std::string>& cells);
    void finish();

   private:
    Target& target_;
    const Relation& relation_;
    const Relation& becomes_;
    std::unique_ptr<Loader> loader_;
    std::vector<Cell> cells_;
    std::vector<std::string> scratch_;
  };

  /// A column that is exported no longer, and holds pseudonyms still: what is to become of each.
  struct KeptPseudonyms {
    std::string column;
    std::string map;  // a temporary table
  };
  /// Asks `rekey` for every value of such a column. `type` is what was exported. Nothing where the
  /// secondary does not have the column any more.
  std::optional<KeptPseudonyms> rekey_kept(const Relation& relation, const std::string& column,
                                           const Type& type,
                                           const std::function<void(Value&)>& rekey);

  /// One table of a rotation, and which of its columns hold pseudonyms, and integer ones; or of a
  /// rekeying, and the columns of its new key.
  struct Rekeyed {
    const Relation* relation = nullptr;
    const Relation* becomes = nullptr;  // its rows are known by another key from then on
    std::vector<std::size_t> columns;
    std::vector<std::size_t> integers;
    std::vector<KeptPseudonyms> kept;
  };
  /// Puts the new pseudonyms into data and bases of all tables (parents before children), and seals
  /// the bases. Returns how many rows of each table's data changed. Throws
  /// Failure{secondary_refuses} where the secondary does not take them as they are.
  std::vector<std::int64_t> apply_rekey(const std::vector<Rekeyed>& tables);

  /// The statements without which the relation's key is not unique in its table; none where it is.
  /// `filled`: every row has its key already.
  enum class Keys : std::uint8_t { to_come, filled };
  [[nodiscard]] std::vector<std::string> key_ddl(const Relation& relation, Keys keys) const;
  /// Whether the base has to be made anew to hold rows by the key of `becomes`.
  [[nodiscard]] bool remakes_base(const Relation& relation, const Relation& becomes) const;

  // In lib/db/target_lay_down.cpp.
  /// Lays the rows of a table, or of its base, down in the order of their keys. Returns what the
  /// table's owner has to run where this role may not, or where a trigger would see rows move;
  /// empty: they lie so now, or have no order of their own. No cursor may be open.
  std::string lay_down_data(const Relation& relation);
  std::string lay_down_base(const Relation& relation);

  /// Forgets the base of a table that no contract names any more.
  void forget_base_of(const Relation& relation);

  void commit();

 private:
  struct Work;
  struct Attempt {
    bool taken = false;
    std::int64_t rows = 0;
  };

  [[nodiscard]] Names names(const Relation& relation) const;
  /// The same, where stage, plan and gone are needed: makes them, unless they are there.
  Names staging(const Relation& relation);
  /// Whether anything was staged or planned of it; where not, there is nothing to read.
  [[nodiscard]] bool is_staged(const Relation& relation) const {
    return staged_.contains(relation.id);
  }
  void decode_key(const Relation& relation, std::span<const Cell> cells, Row& row) const;
  void decode_row(const Relation& relation, std::span<const Cell> cells, Row& row) const;
  void encode_row(const Relation& relation, const Row& row, std::vector<Cell>& cells,
                  std::vector<std::string>& scratch) const;
  [[nodiscard]] std::vector<Cell> key_cells(const Relation& relation, const Row& key,
                                            std::vector<std::string>& scratch) const;
  void read_pairs(const Relation& relation, const std::string& sql, const OnPair& on_pair);
  std::int64_t count(const std::string& sql);
  [[nodiscard]] std::vector<Belonging> belongings(const Relation& relation) const;
  /// PostgreSQL; as `lay_down_data`.
  std::string cluster(const std::string& table, const CatalogKey& index);
  /// False: they could not be run, and nothing was done.
  bool try_statements(const std::vector<std::string>& statements);
  using OnMeasured = std::function<void(std::span<const Cell> cells, std::string_view packed)>;
  Base measure(const Relation& relation, const std::string& sql, const OnMeasured& on_row = {});
  /// For the time of a rotation. Returns the statements that drop them. Tables that belong to
  /// somebody else are left without.
  std::vector<std::string> index_foreign_keys(const std::vector<RekeyWork>& work);
  /// The base of what was taken, as the plan says.
  void move_base(const Relation& relation);
  /// The same while the base has no key, which is cheaper where most of it moves. False: it cannot
  /// be taken off now, and nothing was done.
  bool move_base_without_key(const Relation& relation);
  /// Runs `work` and takes it back where it says false or the secondary refuses rows; gives whether
  /// it stands.
  bool in_savepoint(std::string_view name, const std::function<bool()>& work);
  /// Of a base row, as the seal sums them up. The row's key as the engine writes it.
  static std::uint64_t checksum(const SipKey& base_key, std::span<const Cell> key,
                                std::string_view packed_cells, std::string& bytes);
  /// Whether the checksum of a row as it is sent is that of the row that the engine gives back.
  [[nodiscard]] bool seals_as_sent(const Relation& relation) const;
  [[nodiscard]] std::string action_sql(const Work& work) const;
  const std::map<std::string, std::vector<Dependant>>& all_dependants();
  const std::vector<Dependant>& dependants(const Relation& relation);
  void find_obstacle(const Relation& relation, const Refused& refused, Obstacle& found);
  /// Notes the first row of a table that meets the condition. False: there is none.
  bool find_in_way(const std::string& table, const std::vector<std::string>& key,
                   const std::string& condition, Obstacle& obstacle);
  /// Whether rows that nobody has planned to touch would go or change along with these.
  bool takes_along(const Work& work);
  /// The number of rows; nothing where others would be taken along (then nothing is done).
  std::optional<std::int64_t> perform(const Work& work);
  [[nodiscard]] bool plans(const Relation& relation, PlanAction action) const;
  bool is_about(const Work& work);
  /// The number of rows of every prepared table; none where no trigger could change it unseen.
  std::vector<std::int64_t> rows_beside_triggers(const std::vector<Relation>& relations);
  void expect_applied(const std::vector<Relation>& relations,
                      const std::vector<std::int64_t>& before, bool whole);
  [[nodiscard]] std::vector<Work> all_work(const std::vector<Relation>& relations);
  bool apply_whole(const std::vector<Relation>& relations);
  void apply_piecemeal(const std::vector<Relation>& relations);
  bool apply_in_halves(std::deque<Work>& open);
  bool apply_respelled(std::deque<Work>& open);
  bool respell_one(const Relation& relation, std::int64_t removed, std::int64_t inserted);
  bool apply_knots(std::deque<Work>& open);
  bool apply_knot(const std::vector<Work>& knot);
  bool untie_knot(const std::vector<Work>& knot, Aside aside);
  Attempt attempt(const Work& work);
  [[nodiscard]] bool own_table_exists(const std::string& name) const;
  /// Empty where there is no such column, and for SQLite, whose types hold nothing back.
  [[nodiscard]] std::string own_column_type(const std::string& name,
                                            const std::string& column) const;
  /// The relation's table, under the name that it has now; null where there is none yet.
  [[nodiscard]] const CatalogTable* holding_table(const Relation& relation) const;
  [[nodiscard]] std::string definition_of(const std::string& table) const;
  [[nodiscard]] std::vector<std::string> redefine(const std::string& table,
                                                  const std::string& definition,
                                                  const Relation& relation) const;
  [[nodiscard]] std::vector<std::string> drop_keys(const CatalogTable& table,
                                                   const Relation& relation) const;
  /// PostgreSQL: after the foreign keys of all tables, which may refer to it. SQLite does it in
  /// `drop_keys`, by one change of the definition.
  [[nodiscard]] std::vector<std::string> drop_outgrown_key(const CatalogTable& table,
                                                           const Relation& relation) const;
  [[nodiscard]] std::vector<std::string> put_back_keys(const CatalogTable& table,
                                                       const Relation& relation) const;
  /// The primary key of the table where it was the relation's key before (`abgleich rekey`) and
  /// new rows bring no values for it any more; null otherwise.
  [[nodiscard]] const CatalogKey* outgrown_key(const CatalogTable& table,
                                               const Relation& relation) const;
  [[nodiscard]] std::vector<std::string> new_key_ddl(const Relation& relation,
                                                     std::size_t key) const;
  /// Whether no row of the relation's data would break the key.
  bool keeps(const Relation& relation, const RelationForeignKey& key);
  /// False where the secondary refuses them: then nothing was done.
  bool try_ddl(const std::vector<std::string>& statements);
  [[nodiscard]] Relation with_possible_foreign_keys(const Relation& relation,
                                                    const std::vector<Relation>& all) const;
  [[nodiscard]] std::vector<std::string> widen_base(const Relation& relation) const;
  Adaptation hold_existing(const CatalogTable& table, Relation& relation) const;

  [[nodiscard]] Equality equality_of(const std::string& table, const std::string& column) const;
  /// Runs what writes to people's tables: in PostgreSQL with the search path that people's own
  /// sessions have, for their triggers, checks and indexes. Everywhere else it leads to the
  /// server's own names only.
  void as_people(const std::function<void()>& work);
  /// False where the secondary refuses a row, or this machine has no room.
  bool try_fill(const std::function<void()>& work);
  std::int64_t write(const std::string& sql);

  Session session_;
  Mode mode_;
  Catalog catalog_;
  Equalities equalities_;
  std::string peoples_path_;
  std::unique_ptr<Books> books_;
  std::vector<std::int64_t> stand_in_base_;
  std::vector<std::int64_t> stand_in_data_;
  std::vector<std::vector<std::size_t>> updated_columns_;  // by relation id: union of the masks
  std::vector<std::int64_t> planned_;                      // by relation id: rows of the plan
  /// What a plan does to the base, as far as planning knows.
  struct BaseChange {
    Seal seal;
    Seal journal;  // what its entries add up to
    BeforeImages images = BeforeImages::keep;
    bool inserts = false;
    bool updates = false;
    bool deletes = false;
  };
  std::vector<BaseChange> base_changes_;  // by relation id
  std::vector<std::int64_t> writes_;      // by relation id: planned for the data
  std::vector<std::int64_t> written_;     // by relation id: rows that statements say they wrote
  std::vector<std::string> actions_;      // by relation id: that the plan has
  std::vector<Relation> prepared_;
  std::set<std::int64_t> staged_;      // relations whose temporary tables are there
  std::vector<std::int64_t> rare_;     // relation ids: that have rows held back for being rare
  std::vector<std::string> refusals_;  // the statements that mark refused rows
  std::optional<std::map<std::string, std::vector<Dependant>>> dependants_;  // by table
  /// Why a row was refused: an SQLSTATE, and what it would have broken.
  struct Blame {
    std::string state;
    std::string broken;
  };
  Blame last_blame_;
  std::map<std::pair<std::int64_t, std::int64_t>, Blame> blames_;  // by relation and number
  /// The foreign key by which a row waits for another, likewise.
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> waits_by_;
  std::vector<std::string> keys_;            // DDL that ends a first load
  std::vector<std::string> foreign_keys_;    // … after it
  std::set<std::int64_t> laid_down_sorted_;  // relations that are sorted here
  std::vector<std::pair<Relation, std::optional<Seal>>> filled_;
  std::atomic<bool> fill_abandoned_ = false;
  std::string rows_not_kept_;
  std::string patience_;  // how long the secondary lets us be idle, as it was before a first load
  std::int64_t literals_ = 0;  // temporary tables that `literal` has made
  std::int64_t maps_ = 0;      // temporary tables that `rekey_kept` has made
  bool open_ = true;
};

}  // namespace abgleich::db
