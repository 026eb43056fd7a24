package transfer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// table is one that is copied.
type table struct {
	name    string
	columns []column
	key     []int // of the columns: the primary key, in its order
}

type column struct {
	name string
	kind string // as PostgreSQL calls the type
	key  int    // place in the primary key, from 1; 0: not in it
}

// pageRows is how many rows are read, and written, at a time.
const pageRows = 500

// names lists the tables, those first that others refer to: migrations cannot make them in another order.
func names() []string {
	create := regexp.MustCompile(`(?m)^create table (\w+)`)
	var all []string
	for v := 1; v <= store.SchemaVersion; v++ {
		for _, m := range create.FindAllStringSubmatch(store.Migration(store.Postgres, v), -1) {
			if m[1] != "schema_version" {
				all = append(all, m[1])
			}
		}
	}
	return all
}

// catalog asks for a table's columns: name, type, place in the primary key.
func catalog(kind store.Kind) string {
	if kind == store.SQLite {
		return `select name, lower(type), pk from pragma_table_info($1) order by cid`
	}
	return `select c.column_name, c.data_type, cast(coalesce(k.ordinal_position, 0) as bigint) from information_schema.columns c
 left join information_schema.table_constraints p
   on p.table_schema = c.table_schema and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY'
 left join information_schema.key_column_usage k
   on k.constraint_schema = p.constraint_schema and k.constraint_name = p.constraint_name and k.column_name = c.column_name
where c.table_name = $1 and c.table_schema = any (current_schemas(false)) order by c.ordinal_position`
}

func tablesOf(ctx context.Context, db store.DB) ([]table, error) {
	var all []table
	for _, name := range names() {
		t := table{name: name}
		err := db.Run(ctx, store.Stmt{SQL: catalog(db.Kind()), Args: []any{name}, Each: func(r store.Row) error {
			var c column
			if err := r.Scan(&c.name, &c.kind, &c.key); err != nil {
				return err
			}
			t.columns = append(t.columns, c)
			return nil
		}})
		if err != nil {
			return nil, fmt.Errorf("the source: %w", err)
		}
		for i, c := range t.columns {
			if _, err := c.cell(); err != nil {
				return nil, fmt.Errorf("table %s: %w", name, err)
			}
			if c.key > 0 {
				t.key = append(t.key, i)
			}
		}
		slices.SortFunc(t.key, func(a, b int) int { return t.columns[a].key - t.columns[b].key })
		if len(t.key) == 0 {
			return nil, fmt.Errorf("table %s has no primary key", name)
		}
		all = append(all, t)
	}
	return all, nil
}

// cell is memory for a value of the column, to be scanned into and passed on. Null stays null.
func (c column) cell() (any, error) {
	switch c.kind {
	case "bytea", "blob":
		return new([]byte), nil
	case "text":
		return new(*string), nil
	case "boolean":
		return new(*bool), nil
	case "bigint", "integer", "smallint":
		return new(*int64), nil
	}
	return nil, fmt.Errorf("column %s is of the type %s, which cannot be copied", c.name, c.kind)
}

// argument is what a cell holds, as a statement takes it.
func argument(cell any) any {
	switch c := cell.(type) {
	case *[]byte:
		return *c
	case **string:
		return *c
	case **bool:
		return *c
	case **int64:
		return *c
	}
	return nil
}

// copy takes the rows page by page, in the order of the key.
func (t table) copy(ctx context.Context, source, target store.Runner) (n int64, err error) {
	var last []any
	for {
		var rows []store.Stmt
		stmt := store.Stmt{SQL: t.page(last != nil), Args: last, Each: func(r store.Row) error {
			args, err := t.scan(r)
			rows = append(rows, store.Stmt{SQL: t.insert(), Args: args})
			return err
		}}
		if err := source.Run(ctx, stmt); err != nil {
			return n, fmt.Errorf("reading: %w", err)
		}
		if err := target.Run(ctx, rows...); err != nil {
			return n, fmt.Errorf("writing: %w", err)
		}
		n += int64(len(rows))
		if len(rows) < pageRows {
			return n, nil
		}
		last = nil
		for _, i := range t.key {
			last = append(last, rows[len(rows)-1].Args[i])
		}
	}
}

func (t table) scan(r store.Row) ([]any, error) {
	cells := make([]any, len(t.columns))
	for i, c := range t.columns {
		cells[i], _ = c.cell() // tablesOf has tried each
	}
	if err := r.Scan(cells...); err != nil {
		return nil, err
	}
	for i, c := range cells {
		cells[i] = argument(c)
	}
	return cells, nil
}

func (t table) page(after bool) string {
	var all, key []string
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	for _, i := range t.key {
		key = append(key, t.columns[i].name)
	}
	where := ""
	if after {
		where = " where (" + strings.Join(key, ", ") + ") > (" + places(len(key)) + ")"
	}
	return fmt.Sprintf("select %s from %s%s order by %s limit %d", strings.Join(all, ", "), t.name, where,
		strings.Join(key, ", "), pageRows)
}

func (t table) insert() string {
	var all []string
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	return fmt.Sprintf("insert into %s (%s) values (%s)", t.name, strings.Join(all, ", "), places(len(all)))
}

func places(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("$%d", i+1))
	}
	return strings.Join(all, ", ")
}
