package datatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every wait for the server. It is generous because a recovery after an immediate
// stop has to read back what it wrote, on a machine that is busy with other tests.
const patience = 2 * time.Minute

// shared is the cluster that all calls of Postgres in one test process use. It runs until the
// process ends: a cluster takes seconds to make, a database in it a fraction of one.
var shared struct {
	sync.Mutex
	cluster *PostgresCluster
}

// Postgres returns the address of a new, empty database in a real PostgreSQL server that this
// test process started. The database is dropped when the test ends. Where no server is installed
// the test is skipped, and under CI=true it fails. The options are CREATE DATABASE's, such as a locale.
//
// It is safe to call from parallel tests. The server keeps one goroutine alive that goleak would
// report: pass it goleak.IgnoreCurrent() taken after the first call.
func Postgres(t testing.TB, options ...string) (dsn string) {
	t.Helper()
	c, err := sharedCluster(serverBinaries(t))
	if err != nil {
		t.Fatal(err)
	}
	return c.Create(t, options...)
}

func sharedCluster(bin string) (*PostgresCluster, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		c, err := newCluster(bin, nil)
		if err != nil {
			return nil, err
		}
		shared.cluster = c
	}
	return shared.cluster, nil
}

// PostgresCluster is a server with a data directory of its own, reached over TCP on loopback so
// that a test can cut its connections. It is as durable as a real one: fsync is on.
type PostgresCluster struct {
	bin      string
	home     *home
	settings []string
	password string
	port     int
	process  *postmaster
	t        testing.TB // nil for the shared cluster, which outlives every test
}

// Cluster starts a server for this test alone, which may stop and restart it. Settings are lines of
// postgresql.conf such as "synchronous_commit=off". Its methods belong to the goroutine of the test.
func Cluster(t testing.TB, settings ...string) *PostgresCluster {
	t.Helper()
	c, err := newCluster(serverBinaries(t), settings)
	if err != nil {
		t.Fatal(err)
	}
	c.t = t
	t.Cleanup(c.remove)
	return c
}

// DSN is the address of one database of the cluster; it stays the same across restarts.
func (c *PostgresCluster) DSN(dbname string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", c.password),
		Host:     fmt.Sprintf("127.0.0.1:%d", c.port),
		Path:     "/" + dbname,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Create makes an empty database, returns its address, and drops it when t ends, whoever is still
// connected. A server that t left stopped keeps it: the whole cluster goes then anyway.
func (c *PostgresCluster) Create(t testing.TB, options ...string) (dsn string) {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	// template0 and not template1: nobody can be connected to it, which would make the copy fail.
	if err := c.exec(`CREATE DATABASE ` + name + ` TEMPLATE template0 ` + strings.Join(options, " ")); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		if !c.process.running() {
			return
		}
		if err := c.exec(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return c.DSN(name)
}

// Stop ends the server as a crash would (immediate mode): every connection is cut, no checkpoint
// is written, and the next Start recovers from the log.
func (c *PostgresCluster) Stop() {
	c.t.Helper()
	if err := c.process.stop(syscall.SIGQUIT); err != nil {
		c.t.Fatal(err)
	}
}

// Start starts a stopped server and returns when it accepts connections.
func (c *PostgresCluster) Start() {
	c.t.Helper()
	if c.process.running() {
		c.t.Fatal("the PostgreSQL server is already running")
	}
	if err := c.start(); err != nil {
		c.t.Fatal(err)
	}
}

// Restart is Stop and Start: what clients see when a server crashes and recovers.
func (c *PostgresCluster) Restart() {
	c.t.Helper()
	c.Stop()
	c.Start()
}

func (c *PostgresCluster) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func (c *PostgresCluster) remove() {
	if err := errors.Join(c.process.stop(syscall.SIGQUIT), c.home.remove()); err != nil {
		c.t.Errorf("remove the PostgreSQL cluster: %v", err)
	}
}

func newCluster(bin string, settings []string) (*PostgresCluster, error) {
	h, err := newHome()
	if err != nil {
		return nil, err
	}
	c := &PostgresCluster{bin: bin, home: h, settings: settings, password: rand.Text()}
	if err := c.init(); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	return c, nil
}

func (c *PostgresCluster) init() error {
	// A password even on loopback: whoever may log in as the superuser may run programs as its user.
	pwfile, err := c.home.write("password", c.password+"\n")
	if err != nil {
		return err
	}
	cmd := c.home.command(c.bin+"/initdb", "--pgdata="+c.home.data(), "--username=postgres", "--pwfile="+pwfile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (c *PostgresCluster) start() (err error) {
	if c.port != 0 {
		c.process, err = startPostmaster(c.command())
		return err
	}
	for range 10 { // somebody else may take a free port before the server does
		if c.port, err = freePort(); err != nil {
			return err
		}
		if c.process, err = startPostmaster(c.command()); err == nil {
			return nil
		}
	}
	return err
}

func (c *PostgresCluster) command() *exec.Cmd {
	args := []string{"-D", c.home.data()}
	for _, s := range append([]string{
		"listen_addresses=127.0.0.1",
		fmt.Sprintf("port=%d", c.port),
		"unix_socket_directories=", // its path would have to fit in 107 bytes
		"max_connections=300",
		"timezone=UTC",
		"lc_messages=C", // readiness is read from the log
	}, c.settings...) {
		args = append(args, "-c", s)
	}
	return c.home.command(c.bin+"/postgres", args...)
}
