package store

import (
	"context"
	"embed"
	"fmt"
	"strings"
)

// SchemaVersion is the version that this code needs: the number of migrations.
// A database with a newer schema is fine, because migrations only ever add.
const SchemaVersion = 13

// CurrentSchema reads the version of the database's schema; 0 if it holds none.
func CurrentSchema(ctx context.Context, r Runner) (version int, err error) {
	found := false
	err = r.Run(ctx, Stmt{SQL: "select version from schema_version", Each: First(&found, &version)})
	return version, err
}

// ProveWriting writes to the database, without changing anything, and reads the version of its schema. Nothing else locks
// the row that it writes.
func ProveWriting(ctx context.Context, r Runner) (version int, err error) {
	found := false
	err = r.Run(ctx, Stmt{SQL: "update schema_version set version = version returning version", Each: First(&found, &version)})
	return version, err
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration returns the SQL, several statements, that takes a database of the given kind
// from the schema version-1 to version (1 … SchemaVersion).
//
// The text is the same for both engines but for comments of the form
// "/*sqlite …*/": there SQLite gets what stands inside, and PostgreSQL sees a comment.
func Migration(kind Kind, version int) string {
	b, err := migrationFiles.ReadFile(fmt.Sprintf("migrations/%04d.sql", version))
	if err != nil {
		panic(err) // the files are compiled in, and a test asks for each
	}
	return ForEngine(kind, string(b))
}

// ForEngine is the schema text as the engine gets it, see [Migration].
func ForEngine(kind Kind, sql string) string {
	if kind != SQLite {
		return sql
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(sql, "/*sqlite")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		inside, after, _ := strings.Cut(rest, "*/")
		out.WriteString(strings.TrimSuffix(inside, " "))
		sql = after
	}
}
