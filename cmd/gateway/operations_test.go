package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/internal/redistest"
	"github.com/alicetears/llm-gateway/internal/testproc"
	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// Help and usage errors need no configuration, and create no files.
func TestUsageNeedsNoConfiguration(t *testing.T) {
	s := newShell(t, "JWT_SECRET=short", "DATABASE_URL=mysql://x")
	for _, c := range commands() {
		s.want(0, `^usage: gateway `+c.name+`[^\n]*\n\n`+regexp.QuoteMeta(c.summary), c.name, "--help")
		s.want(2, `gateway `+c.name+`: .*\nusage: gateway `+c.name, c.name, "--no-such-flag")
	}
	for _, c := range userCommands() {
		usage := `usage: gateway user ` + regexp.QuoteMeta(strings.TrimSpace(c.name+" "+c.args)) + `\n`
		s.want(0, `^`+usage+`\n`+regexp.QuoteMeta(c.summary), "user", c.name, "--help")
		s.want(2, `gateway user `+c.name+`: .*\n`+usage, "user", c.name, "--no-such-flag")
		s.want(2, `gateway user `+c.name+`: "\S+" is one argument too many\n`+usage, "user", c.name, "a@example.com",
			"more")
		if strings.Contains(c.args, "EMAIL") {
			s.want(2, `gateway user `+c.name+`: EMAIL is missing\n`+usage, "user", c.name)
			s.want(2, `gateway user `+c.name+`: EMAIL must .*\n`+usage, "user", c.name, "nobody")
		}
	}
	s.want(1, "JWT_SECRET", "user", "list") // a valid command line needs the configuration
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBackupAndRestore(t *testing.T) {
	s := newShell(t)
	s.want(1, `there is no database at data/gateway.db`, "backup", "copy.db")
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	s.want(0, `(?s)copy.db is a copy of data/gateway.db.*does not hold the secret.*data/secret`, "backup", "copy.db")
	s.want(1, `copy.db exists already, and a backup overwrites nothing`, "backup", "copy.db")
	w.key(t, "sk-emulated-0002")
	s.want(1, `there is a database at data/gateway.db already: add --replace`, "restore", "copy.db")
	s.want(1, `data/gateway.db is in use: stop the gateway first`, "restore", "--replace", "copy.db")
	w.stop()
	s.want(0,
		`(?s)the database that was there is now data/gateway.db.replaced-.*it holds 1 provider keys, and the secret decrypts them all`,
		"restore", "--replace", "copy.db")
	s.want(0, `a@example.com`, "user", "list")

	kept, _ := filepath.Glob("data/gateway.db.replaced-*")
	if len(kept) != 1 {
		t.Fatalf("kept: %v", kept)
	}
	elsewhere := func(name string, settings ...string) { s.set(append(settings, "DATA_DIR="+name)...) }
	elsewhere("bare")
	s.want(0, `Its secret is missing. Put your copy at bare/secret before the gateway starts`, "restore", kept[0])
	if _, err := os.Stat("bare/secret"); err == nil {
		t.Error("a secret was made in the place of the one to be brought back")
	}
	elsewhere("wrong", firstSecret)
	s.want(1,
		`(?s)it holds 2 provider keys\n.*2 of them cannot be decrypted with the configured secrets: bring back the secret`,
		"restore", kept[0])
}

func TestRestoreRefusesOtherFiles(t *testing.T) {
	s := newShell(t)
	s.want(0, `current`, "migrate")
	if err := os.WriteFile("text", []byte(strings.Repeat("not a database", 999)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"text", "nothing", "data"} {
		s.want(1, name+` is not a backup that can be restored`, "restore", "--replace", name)
	}
	s.want(0, `current`, "migrate")
	s.set("DATABASE_URL=postgres://h/d", firstSecret)
	s.want(1, `for SQLite.*pg_dump`, "backup", "x")
	s.want(1, `for SQLite.*pg_restore`, "restore", "x")
}

func TestCopyBetweenEngines(t *testing.T) {
	s := newShell(t, firstSecret)
	w := s.visit(t) // and serves meanwhile
	w.key(t, "sk-emulated-0001")
	url := pgtest.New(t)
	s.want(2, `--from is missing`, "copy", "--to", url)
	s.want(2, `--to begins neither with postgres:// nor with sqlite:`, "copy", "--from", "sqlite:data/gateway.db",
		"--to", "mysql://x")
	s.want(1, `no database at nowhere.db`, "copy", "--from", "sqlite:nowhere.db", "--to", url)
	s.want(0,
		`(?s)users +1\n.*provider_keys +1\n.*rows were copied from sqlite:data/gateway.db to postgres://127\S+, and counted on both sides`,
		"copy", "--from", "sqlite:data/gateway.db", "--to", url)
	s.want(1, `holds data already.*nothing was written`, "copy", "--from", "sqlite:data/gateway.db", "--to", url)
	s.want(0, `provider_keys +1\n`, "copy", "--from", url, "--to", "sqlite:back/gateway.db")
	if left, _ := filepath.Glob("data/.copy-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	w.stop()
	for _, address := range []string{url, "sqlite:back/gateway.db"} {
		s.set("DATABASE_URL=" + address)
		s.want(0, `a@example.com +admin`, "user", "list")
		s.want(0, `ok    provider keys 1, and the secret decrypts them all`, "doctor")
	}
}

// reachable points every provider at an emulator, so that no test calls the real ones.
func (s *shell) reachable(t *testing.T) {
	t.Helper()
	origin, end, err := emulator.Start(emulator.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	for _, id := range emulator.Providers() {
		s.set(strings.ToUpper(id) + "_BASE_URL=" + emulator.BaseURL(origin, id))
	}
}

func freeAddress(t *testing.T) (address string, port int) {
	t.Helper()
	port, err := testproc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port), port
}

func TestDoctor(t *testing.T) {
	s := newShell(t)
	s.reachable(t)
	s.want(0,
		`(?s)ok    configuration.*note  data folder.*ok    database .*note  accounts.*note  provider keys there are none yet.*ok    openai.*ok    clock.*all checks passed`,
		"doctor")
	nobody, _ := freeAddress(t)
	s.set("OPENAI_BASE_URL=http://" + nobody)
	s.want(0, `note  openai +it cannot be reached .*there is no key of it`, "doctor")
	s.set("REDIS_URL=redis://" + nobody)
	s.want(1, `(?s)FAIL  Redis +it does not answer: check REDIS_URL.*1 of \d+ checks failed`, "doctor")
	s.set("REDIS_URL="+redistest.New(t).URL, "DATABASE_URL=postgres://"+nobody+"/x", firstSecret)
	s.want(1, `(?s)FAIL  database .*check DATABASE_URL.*ok    Redis`, "doctor")
	s.set("PORT=x", "DATABASE_URL=mysql://x", "LOG_LEVEL=loud")
	s.want(1, `(?s)FAIL  configuration DATABASE_URL.*PORT.*LOG_LEVEL.*3 of 3 checks failed`, "doctor")
}

func TestDoctorFindsUndecryptableKeys(t *testing.T) {
	s := newShell(t, firstSecret)
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	w.stop()
	s.reachable(t)
	nobody, _ := freeAddress(t)
	s.set("JWT_SECRET=aQ7sVx2mLrT9wYb3KcJfGhZzE6uA4iNn-third", "OPENAI_BASE_URL=http://"+nobody)
	s.want(1,
		`(?s)FAIL  provider keys 1 of 1 cannot be decrypted: list the secret.*FAIL  openai +it cannot be reached, and there are keys of it.*2 of`,
		"doctor")
}

func TestHealthcheck(t *testing.T) {
	_, port := freeAddress(t)
	s := newShell(t, fmt.Sprintf("PORT=%d", port), "HOST=0.0.0.0")
	s.want(1, `refused`, "healthcheck")
	out, _ := s.start("serve")
	out.Wait(t, "ready on")
	s.want(0, `^$`, "healthcheck")
	s.want(0, `^$`, "healthcheck", "--ready")
	s.want(0, `^$`, "healthcheck", "--database")
	s.set("PORT=0")
	s.want(1, `PORT is 0`, "healthcheck")
}

func TestSecretsAreCreatedOnce(t *testing.T) {
	s := newShell(t)
	create := []string{"init-secrets", "--postgres", "db:5432", "--redis", "cache:6379", "--services", "services", "secrets"}
	s.want(0, `(?s)jwt-secret is created.*database-url is created.*redis-url is created.*redis.conf is created`, create...)
	read := func(dir string) map[string]string {
		all := map[string]string{}
		names, _ := os.ReadDir(dir)
		for _, e := range names {
			text, err := os.ReadFile(dir + "/" + e.Name())
			info, _ := e.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
			}
			all[e.Name()] = string(text)
		}
		return all
	}
	own, services := read("secrets"), read("services")
	if len(own) != 7 || len(services) != 3 {
		t.Errorf("%d and %d files", len(own), len(services))
	}
	for name, want := range map[string]string{
		"database-url": "postgres://gateway:" + own["postgres-password"] + "@db:5432/gateway?sslmode=disable",
		"redis-url":    "redis://:" + own["redis-password"] + "@cache:6379",
	} {
		if own[name] != want {
			t.Errorf("%s is %s, want %s", name, own[name], want)
		}
	}
	// What PostgreSQL and Redis read contains no secret of the gateway's own.
	for name, text := range services {
		for _, secret := range []string{"jwt-secret", "encryption-key", "cron-secret"} {
			if strings.Contains(text, own[secret]) {
				t.Errorf("%s contains %s", name, secret)
			}
		}
	}
	if services["postgres-password"] != own["postgres-password"] || services["redis-password"] != own["redis-password"] ||
		!strings.HasPrefix(services["redis.conf"], "requirepass "+own["redis-password"]+"\n") {
		t.Errorf("the files of the services: %v", services)
	}
	if err := os.RemoveAll("services"); err != nil {
		t.Fatal(err)
	}
	s.want(0, `(?s)jwt-secret exists.*database-url exists.*redis.conf is created`, create...)
	if !maps.Equal(read("secrets"), own) || !maps.Equal(read("services"), services) {
		t.Error("the secrets changed")
	}
	s.want(0, `jwt-secret is created`, "init-secrets", "others")
	if others := read("others"); len(others) != 3 {
		t.Errorf("%d files without PostgreSQL and Redis", len(others))
	}
	if err := os.Truncate("secrets/jwt-secret", 0); err != nil {
		t.Fatal(err)
	}
	s.want(1, `jwt-secret is empty: bring it back`, "init-secrets", "secrets")
}

func TestWorkerPurges(t *testing.T) {
	s := newShell(t)
	in, err := install(s.config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	s.want(0, "log in now", "user", "create", "a@example.com")
	err = in.db.Run(
		t.Context(),
		store.Stmt{SQL: `insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at)
 select id, id, '', '', 1, 1, 2 from users`},
	)
	if err != nil {
		t.Fatal(err)
	}
	out, stop := s.start("worker")
	out.Wait(t, "the worker is ready")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		n := -1
		if err := in.db.Run(t.Context(), store.Stmt{SQL: "select count(*) from sessions", Each: func(r store.Row) error { return r.Scan(&n) }}); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the session that has ended is still there")
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// pair writes a certificate for name with its key.
func pair(t *testing.T, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLS(t *testing.T) {
	_, port := freeAddress(t)
	s := newShell(t, "TLS_CERT_FILE=cert.pem", "TLS_KEY_FILE=key.pem", fmt.Sprintf("PORT=%d", port))
	s.want(1, `TLS_CERT_FILE cannot be read`, "serve")
	pair(t, "first.example.com")
	s.reachable(t)
	s.want(0, `note  certificate +it ends on`, "doctor")
	out, _ := s.start("serve")
	address := strings.TrimPrefix(out.Wait(t, `ready on (https://\S+)\n`), "https://")
	s.want(0, `^$`, "healthcheck")
	served := func() (string, string) {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		state := conn.ConnectionState()
		return state.PeerCertificates[0].DNSNames[0], state.NegotiatedProtocol
	}
	if name, protocol := served(); name != "first.example.com" || protocol != "h2" {
		t.Errorf("%s %s", name, protocol)
	}
	client := &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
	}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + address + "/health")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s %v", resp.Status, resp.Proto, resp.Header)
	}
	// Plain HTTP gets an answer that says so, from net/http.
	plain, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	fmt.Fprintf(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	line := make([]byte, 12)
	if _, err := plain.Read(line); err != nil || string(line) != "HTTP/1.0 400" {
		t.Errorf("%q %v", line, err)
	}
}

func TestCertificateIsReloaded(t *testing.T) {
	s := newShell(t, "TLS_CERT_FILE=cert.pem", "TLS_KEY_FILE=key.pem")
	pair(t, "first.example.com")
	in, err := install(s.config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	c, err := newCertificate(in.cfg.TLS, in.log)
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		c.checked = time.Time{}
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.DNSNames[0]
	}
	later := time.Now().Add(time.Minute)
	step := func(what, want string, change func()) {
		change()
		later = later.Add(time.Minute)
		os.Chtimes("cert.pem", later, later)
		if got := name(); got != want {
			t.Errorf("%s: %s is served", what, got)
		}
	}
	step("renewed", "second.example.com", func() { pair(t, "second.example.com") })
	good, _ := os.ReadFile("cert.pem")
	step("damaged", "second.example.com", func() { os.WriteFile("cert.pem", []byte("nothing"), 0o600) })
	step("repaired", "second.example.com", func() { os.WriteFile("cert.pem", good, 0o600) })
	step("renewed again", "third.example.com", func() { pair(t, "third.example.com") })
}
