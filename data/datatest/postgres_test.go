package datatest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func ask(t *testing.T, conn *pgx.Conn, sql string) (answer string) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestPostgresGivesEachTestAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Postgres(t))
			run(t, conn, "CREATE TABLE only_here (x BIGINT)")
			if got := ask(t, conn, "SELECT count(*)::text FROM information_schema.tables WHERE table_schema = 'public'"); got != "1" {
				t.Errorf("%s tables, want the one just made", got)
			}
		})
	}
}

func TestPostgresIsAsDurableAsAReal(t *testing.T) {
	t.Parallel()
	conn := connect(t, Postgres(t))
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} {
		if got := ask(t, conn, "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s = %s, want %s", setting, got, want)
		}
	}
	if n, err := strconv.Atoi(ask(t, conn, "SELECT current_setting('max_connections')")); err != nil || n < 200 {
		t.Errorf("max_connections = %d, %v; want 200 or more", n, err)
	}
}

func TestPostgresDropsTheDatabaseWithTheTest(t *testing.T) {
	t.Parallel()
	var dsn string
	t.Run("a test that leaves a connection open", func(t *testing.T) {
		dsn = Postgres(t)
		if _, err := pgx.Connect(context.Background(), dsn); err != nil {
			t.Fatal(err)
		}
	})
	_, err := pgx.Connect(context.Background(), dsn)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connecting afterwards: %v, want that the database does not exist", err)
	}
}

func TestClusterRecoversWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	c := Cluster(t)
	dsn := c.Create(t)
	conn := connect(t, dsn)
	run(t, conn, "CREATE TABLE kept (x BIGINT)")
	run(t, conn, "INSERT INTO kept VALUES (42)")

	c.Restart()
	if err := conn.Ping(context.Background()); err == nil {
		t.Error("a connection from before an immediate restart still answers")
	}
	if got := ask(t, connect(t, dsn), "SELECT x::text FROM kept"); got != "42" {
		t.Errorf("after a crash: %s, want 42", got)
	}

	c.Stop()
	if _, err := pgx.Connect(context.Background(), dsn); err == nil {
		t.Error("a stopped server still answers")
	}
	c.Start()
	if got := ask(t, connect(t, dsn), "SELECT x::text FROM kept"); got != "42" {
		t.Errorf("after Stop and Start: %s, want 42", got)
	}
}

func TestClusterTakesSettings(t *testing.T) {
	t.Parallel()
	c := Cluster(t, "fsync=off", "max_connections=20")
	conn := connect(t, c.DSN("postgres"))
	if got := ask(t, conn, "SELECT current_setting('fsync') || current_setting('max_connections')"); got != "off20" {
		t.Errorf("fsync and max_connections are %s, want off20", got)
	}
}

func TestClusterGoesWithItsTest(t *testing.T) {
	t.Parallel()
	var c *PostgresCluster
	t.Run("a test", func(t *testing.T) { c = Cluster(t) })
	if c == nil {
		t.Skip("the subtest was skipped")
	}
	if c.process.running() {
		t.Error("the server still runs")
	}
	if _, err := os.Stat(c.home.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// asVictim makes this test binary hold a server open until it is killed.
const asVictim = "ADMITONE_DATATEST_VICTIM"

func TestClusterDiesWithAKilledTestProcess(t *testing.T) {
	if os.Getenv(asVictim) != "" {
		_ = Postgres(t)
		fmt.Printf("\nserving 127.0.0.1:%d from %s\n", shared.cluster.port, shared.cluster.home.dir)
		select {}
	}
	t.Parallel()
	serverBinaries(t)
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), asVictim+"=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var address, dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "serving %s from %s", &address, &dir)
	}
	if dir == "" {
		t.Fatal("the test process to be killed did not start a server")
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // killed, as intended

	deadline := time.After(patience)
	for range time.Tick(10 * time.Millisecond) {
		_, dirErr := os.Stat(dir)
		conn, netErr := net.Dial("tcp", address)
		if netErr != nil && errors.Is(dirErr, os.ErrNotExist) {
			return
		}
		if netErr == nil {
			_ = conn.Close()
		}
		select {
		case <-deadline:
			t.Fatalf("after kill -9 of the test process: connecting %v, folder %v", netErr, dirErr)
		default:
		}
	}
}
