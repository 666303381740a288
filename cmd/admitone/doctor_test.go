package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"admitone/data/datatest"
)

// examinedBy is what doctor says in this program, with those settings, and its exit status.
func examinedBy(t *testing.T, p program, settings map[string]string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	p.getenv, p.stdin, p.stdout, p.stderr = func(name string) string { return settings[name] }, strings.NewReader(""), &out, &out
	status := p.run(t.Context(), []string{"doctor"})
	return out.String(), status
}

// F44: SQLite on a network file system.
func TestDoctorWarnsOfANetworkFileSystemAndAFullDisk(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "admitone.db")
	datatest.On(t, "sqlite:"+file)
	settings := map[string]string{"DATABASE_URL": "sqlite:" + file, "JWT_KEY": "a7Rq0ZkP4vXw9LmT2sYd8HcB5nJf3GuE"} // gitleaks:allow
	for _, row := range []struct {
		name string
		disk disk
		err  error
		says []string
	}{
		{"a disk of this machine", disk{free: 5 << 30}, nil, []string{"ok    disk         " + filepath.Dir(file) + " has 5.0 GiB free\n", "ok    file system  "}},
		{"NFS", disk{free: 5 << 30, network: "NFS"}, nil, []string{"warn  file system  " + filepath.Dir(file) + " is on NFS, where SQLite's locks may not hold"}},
		{"a full disk", disk{free: 1 << 20}, nil, []string{"warn  disk         ", "soon nothing can be written"}},
		{"no answer", disk{}, errors.New("input/output error"), []string{"warn  disk         cannot be looked at: input/output error"}},
		{"another system", disk{}, errors.ErrUnsupported, []string{"ok    disk         not looked at"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := program{now: time.Now, disk: func(path string) (disk, error) {
				if path != filepath.Dir(file) {
					t.Errorf("looked at %s", path)
				}
				return row.disk, row.err
			}}
			said, status := examinedBy(t, p, settings)
			for _, part := range row.says {
				if !strings.Contains(said, part) {
					t.Errorf("does not say %q:\n%s", part, said)
				}
			}
			if status != done || strings.Contains(said, "FAIL") {
				t.Errorf("exit status %d:\n%s", status, said)
			}
		})
	}
}

func TestServeWarnsOfANetworkFileSystem(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "admitone.db"), "ADDR": "127.0.0.1:0"}
	var out, log output
	p := program{getenv: func(name string) string { return settings[name] }, stdout: &out, stderr: &log, now: time.Now,
		disk: func(string) (disk, error) { return disk{free: 5 << 30, network: "CIFS"}, nil }}
	serving := log.next(`"msg":"serving"`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	ended := make(chan int)
	go func() { ended <- p.run(ctx, []string{"serve"}) }()
	select {
	case <-serving:
	case <-ctx.Done():
	}
	cancel()
	if status := <-ended; status != done || strings.Count(log.String(), `"level":"WARN"`) != 1 || !strings.Contains(log.String(), "is on CIFS, where SQLite's locks may not hold") {
		t.Errorf("exit status %d:\n%s", status, log.String())
	}
}

func TestTheFileSystemsOfOtherMachines(t *testing.T) {
	t.Parallel()
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xff534d42: "CIFS", 0x65735546: "FUSE", 0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: ""} {
		if got := networked(magic); got != want {
			t.Errorf("%#x is %q, want %q", magic, got, want)
		}
	}
	if d, err := statDisk(t.TempDir()); err != nil && !errors.Is(err, errors.ErrUnsupported) || err == nil && d.free == 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := statDisk(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("a folder that is not there can be looked at")
	}
}

// F10: instances more than two seconds from their PostgreSQL.
func TestDoctorWarnsOfAClockThatIsNotPostgreSQLs(t *testing.T) {
	t.Parallel()
	dsn := datatest.Postgres(t)
	settings := map[string]string{"DATABASE_URL": dsn, "JWT_KEY": "a7Rq0ZkP4vXw9LmT2sYd8HcB5nJf3GuE"} // gitleaks:allow
	for off, want := range map[time.Duration]string{
		0: "ok    clock        ", time.Hour: "ahead of PostgreSQL's", -time.Minute: "behind PostgreSQL's",
	} {
		said, status := examinedBy(t, program{now: func() time.Time { return time.Now().Add(off) }, disk: statDisk}, settings)
		if status != done || !strings.Contains(said, want) || !strings.Contains(said, "ok    database     postgres://postgres:xxxxx@127.0.0.1:") {
			t.Errorf("%v off: exit status %d\n%s", off, status, said)
		}
	}
}

func TestDoctorAsksEachBackEnd(t *testing.T) {
	t.Parallel()
	const secret = "ECCJZNJWLPEA3YB6Y2LTQGQD3GJZ3F93" // gitleaks:allow
	big := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, given, _ := strings.Cut(r.URL.RawQuery, "&checksum=")
		sum := sha256.Sum256([]byte("isMeetingRunning" + query + secret))
		verdict := "<returncode>FAILED</returncode><messageKey>checksumError</messageKey>"
		if r.URL.Path == "/bigbluebutton/api/isMeetingRunning" && given == hex.EncodeToString(sum[:]) {
			verdict = "<returncode>SUCCESS</returncode><running>false</running>"
		}
		_, _ = w.Write([]byte("<response>" + verdict + "</response>"))
	}))
	t.Cleanup(big.Close)
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		http.Error(w, "invalid token: "+token, http.StatusUnauthorized)
	}))
	t.Cleanup(live.Close)
	s := startServer(t)
	cmd := exec.CommandContext(t.Context(), binary(t), "doctor")
	cmd.Dir, cmd.Env = s.Dir, append(s.env, `BACKENDS=[
		{"name":"big","kind":"bigbluebutton","url":"`+big.URL+`","secret":"`+secret+`"},
		{"name":"other","kind":"bigbluebutton","url":"`+big.URL+`/bigbluebutton/","secret":"x`+secret+`"},
		{"name":"live","kind":"livekit","url":"ws`+strings.TrimPrefix(live.URL, "http")+`","key":"k","secret":"`+secret+`","join_url":"https://page.example/?u={url}&t={token}"}]`)
	out, err := cmd.CombinedOutput()
	said := string(out)
	if cmd.ProcessState.ExitCode() != refused {
		t.Fatalf("%v\n%s", err, said)
	}
	order := 0
	for _, want := range []string{
		"ok    back end     big (bigbluebutton): answers as it should\n",
		"FAIL  back end     other (bigbluebutton): it does not take our secret\n",
		"FAIL  back end     live (livekit): it answers 401, so our secret or right is not good there\n",
		"admitone: 2 things are wrong\n",
	} {
		at := strings.Index(said, want)
		if at < order {
			t.Errorf("does not say %q in its turn:\n%s", want, said)
		}
		order = at
	}
	for _, no := range []string{secret, "eyJ", "checksum="} { // gitleaks:allow
		if strings.Contains(said, no) {
			t.Errorf("%q is told:\n%s", no, said)
		}
	}
}
