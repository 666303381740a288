// Command admitone invites people into meeting rooms with links that admit one
// person once, and lets that same person come back.
//
// It reads settings, wires the packages together and serves, or does one thing
// on the same database and ends; it holds no rule of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := program{getenv: os.Getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now, disk: statDisk}
	code := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is one run of admitone with everything that it takes from outside.
type program struct {
	getenv func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time
	disk   func(path string) (disk, error)
}

// The exit statuses.
const (
	done    = 0
	refused = 1
	misused = 2
)

// errUsage is wrong usage, which has been explained already.
var errUsage = errors.New("wrong usage")

// command is one word after admitone.
type command struct {
	name, args, says string
	run              func(p *program, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "", "serve (the default)", (*program).serve},
		{"mint", "--room ROOM", "make an invitation and print its link", (*program).mint},
		{"inspect", "LINK", "tell what a link, token or code is good for; uses nothing up", (*program).inspect},
		{"revoke", "LINK|ID", "make an invitation worthless", (*program).revoke},
		{"rooms", "[list|create|close|reopen]", "look after rooms", (*program).rooms},
		{"hosts", "list|reset|reset-two-factor NAME", "list who may sign in, give the generated host a new password, or take a host's lost second factor away", (*program).hosts},
		{"keys", "list|rotate", "list the keys that sign links and tokens, or make new ones; no link breaks", (*program).keys},
		{"person", "export|delete ADDRESS", "tell as JSON what is kept about whoever has a mail address, or remove it", (*program).person},
		{"hash-password", "", "hash a password for HOST_USERS", (*program).hashPassword},
		{"doctor", "", "look at everything the server stands on, and say what is wrong", (*program).doctor},
		{"config", "", "show the settings in force, without secrets", (*program).config},
		{"healthcheck", "", "ask the running server whether it is ready", (*program).healthcheck},
		{"openapi", "", "print the API's OpenAPI document", (*program).openapi},
		{"version", "", "print the version", (*program).version},
	}
}

// run does what the arguments say and returns the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	if args[0] == "help" && len(args) > 1 && args[1] != "help" {
		args = append(args[1:len(args):len(args)], "-h")
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		p.usage(p.stdout)
		return done
	}
	if args[0] == "--version" {
		args = []string{"version"}
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(p, ctx, args[1:])
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return done
		case errors.Is(err, errUsage):
			return misused
		}
		_, _ = fmt.Fprintf(p.stderr, "admitone: %v\n", err)
		return refused
	}
	_, _ = fmt.Fprintf(p.stderr, "admitone: there is no command %q\n\n", args[0])
	p.usage(p.stderr)
	return misused
}

func (p *program) usage(w io.Writer) {
	_, _ = fmt.Fprintln(w, "AdmitOne: links that admit one person once, and let that same person come back.")
	_, _ = fmt.Fprintln(w, "\nUsage: admitone COMMAND [OPTIONS]")
	_, _ = fmt.Fprintln(w)
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-13s %s\n", c.name, c.says)
	}
	_, _ = fmt.Fprintln(w, "\nSettings come from the environment: see “admitone config”. “admitone COMMAND -h” tells a command's options.")
}

// flags is a command's flag set, which parse reads and tells about.
func (p *program) flags(name, args string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {
		_, _ = fmt.Fprintln(f.Output(), strings.TrimSpace("Usage: admitone "+name+" "+args))
		for _, c := range commands() {
			if c.name == name {
				_, _ = fmt.Fprintf(f.Output(), "  %s\n", c.says)
			}
		}
		f.PrintDefaults()
	}
	return f
}

// misuse says what is wrong with a command's arguments, and how it is used.
func (p *program) misuse(f *flag.FlagSet, wrong string) error {
	_, _ = fmt.Fprintf(p.stderr, "admitone %s: %s\n", f.Name(), wrong)
	f.SetOutput(p.stderr)
	f.Usage()
	return errUsage
}

// parse reads options and exactly so many arguments, options also after them.
// The error is flag.ErrHelp where help was asked for, and printed, or errUsage.
func (p *program) parse(f *flag.FlagSet, args []string, want int) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			f.SetOutput(p.stdout)
			f.Usage()
			return nil, err
		} else if err != nil {
			return nil, p.misuse(f, err.Error())
		}
		if f.NArg() == 0 {
			break
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
	switch {
	case len(rest) == want:
		return rest, nil
	case want == 1:
		return nil, p.misuse(f, fmt.Sprintf("takes 1 argument, not %d", len(rest)))
	}
	return nil, p.misuse(f, fmt.Sprintf("takes %d arguments, not %d", want, len(rest)))
}

func (p *program) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(p.stdout, format, args...)
	return err
}

func (p *program) version(_ context.Context, args []string) error {
	if _, err := p.parse(p.flags("version", ""), args, 0); err != nil {
		return err
	}
	return p.printf("admitone %s\n", build())
}

// build is the version, with the commit where the build knows it.
func build() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return version + " (" + s.Value[:min(12, len(s.Value))] + ")"
			}
		}
	}
	return version
}
