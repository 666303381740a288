// Package handlers puts AdmitOne on the web: every address, what guards it, and
// how each refusal is told.
//
// No rule about rooms or invitations lives here or below.
package handlers

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"admitone/handlers/api"
	"admitone/handlers/dashboard"
	"admitone/handlers/join"
	authorization "admitone/handlers/oauth"
	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/conference"
	"admitone/rooms/hosts"
	"admitone/static"
	"admitone/tokens"
	"admitone/tokens/mail"
	"admitone/tokens/oauth"
)

// App is everything the addresses need.
type App struct {
	Rooms       *rooms.Registry
	Invitations *tokens.Invitations
	Directory   *hosts.Directory
	Gate        *hosts.Gate
	Factors     *hosts.SecondFactors
	HostTokens  *hosts.Tokens
	Apps        *oauth.Server
	Backends    *conference.Backends
	Lobby       *tokens.Lobby
	Watcher     *rooms.Watcher
	Post        *mail.Post
	Stop        <-chan struct{} // closed when the server stops: event streams end
	Sessions    Sessions
	Now         func() time.Time
	Log         *slog.Logger
	Ready       func(context.Context) error // nil when the database can be written

	Base         string       // public origin
	Secure       bool         // whether that is https
	Open         bool         // HOST_USER_AUTH=false
	Trusted      []*net.IPNet // proxies whose forwarding headers count
	Origins      []string     // of pages elsewhere that may call the API and the token endpoint
	MetricsToken string       // opens /metrics from elsewhere than this machine
	MailFrom     string       // mail address in whose name hosts invite, or empty
	APIKeySecret string       // opens the calls in MiroTalk's shape; without it they are not there
	Registry     *prometheus.Registry
}

// Sessions keeps where hosts are signed in.
type Sessions interface {
	scs.CtxStore
	hosts.SignIns
}

// The largest bodies, in bytes.
const (
	maxBody = 1 << 20
	maxForm = 64 << 10
	maxList = tokens.MaxGuestList
)

// New returns the whole of AdmitOne as one handler.
func New(a App) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(a.Trusted)
	// Ten wrong links at once, then one every ten seconds, for each address.
	guesses := &hosts.Buckets{Burst: 10, Every: 10 * time.Second, Now: a.Now}
	// Five requests for a new link at once, then one a minute, for each address.
	asks := &hosts.Buckets{Burst: 5, Every: time.Minute, Now: a.Now}
	doors := session.New(session.Doors{
		Directory: a.Directory, Gate: a.Gate, Tokens: a.HostTokens, Apps: a.Apps, Open: a.Open, Secure: a.Secure, Now: a.Now, IDs: a.Rooms.IDs,
		Passkeys: hosts.NewPasskeys(a.Gate, a.Rooms.IDs, a.Base),
	}, a.Sessions)
	invites := &session.Invites{Links: a.Invitations.Links, Directory: a.Directory, From: a.MailFrom, Now: a.Now}
	guest := &join.Pages{
		Invitations: a.Invitations, Invites: invites, Directory: a.Directory, Backends: a.Backends, Lobby: a.Lobby, Watcher: a.Watcher, Stop: a.Stop,
		Doors: doors, Guesses: guesses, Asks: asks, Now: a.Now,
	}
	host := &dashboard.Pages{
		Rooms: a.Rooms, Invitations: a.Invitations, Invites: invites, Backends: a.Backends, Lobby: a.Lobby, Watcher: a.Watcher, Post: a.Post, Stop: a.Stop,
		HostDoor: &tokens.HostDoor{Invitations: a.Invitations}, Guesses: guesses, Ring: a.Apps.Ring, Doors: doors, Factors: a.Factors, Accounts: &hosts.Accounts{SignIns: a.Sessions, Directory: a.Directory, Now: a.Now}, Now: a.Now,
	}
	rest := &api.API{
		Rooms: a.Rooms, Invitations: a.Invitations, Invites: invites, Apps: a.Apps, Post: a.Post, Gate: a.Gate, Tokens: a.HostTokens, Guesses: guesses, Base: a.Base, Now: a.Now,
		KeySecret: a.APIKeySecret, Doors: doors, Factors: a.Factors, Backend: first(a.Backends.Names()),
	}
	as := &authorization.Endpoints{
		Apps: a.Apps, Invitations: a.Invitations, Doors: doors, Base: a.Base, Now: a.Now,
		// Ten wrong secrets or codes at once, then one every ten seconds, for each client and address.
		Guesses: &hosts.Buckets{Burst: 10, Every: 10 * time.Second, Now: a.Now},
		// Twenty new apps at once, then one a minute, from each address; and a hundred,
		// then four a minute, from each site, so that none fills the places of all.
		Registered: &hosts.Buckets{Burst: 20, Every: time.Minute, Now: a.Now},
		Sites:      &hosts.Buckets{Burst: 100, Every: 15 * time.Second, Now: a.Now},
		Unowned:    &hosts.Buckets{Burst: 20, Every: time.Minute, Now: a.Now},
	}
	fail := &failures{base: a.Base, guest: guest, doors: doors, log: a.Log, now: a.Now}
	count := newMetrics(a.Registry)

	e.HTTPErrorHandler = fail.answer
	e.Use(observe(a.Log, a.Now, count, fail), secure(a.Secure), share(a.Origins))
	if a.Open {
		e.Use(loopbackOnly)
	}

	free := routes{e: e}
	free.GET("/healthz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"status": "ok"}) })
	free.GET("/readyz", func(c echo.Context) error {
		if err := a.Ready(c.Request().Context()); err != nil {
			return rooms.ErrUnavailable
		}
		return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
	})
	free.GET("/metrics", count.serve(a.Registry, a.MetricsToken, a.Trusted))
	free.GET("/openapi.json", rest.OpenAPI)
	free.GET("/docs", fail.docs)
	free.GET("/problems/:code", fail.problem)
	free.GET("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, static.URL("icon.svg")) })
	free.GET("/static/*", echo.WrapHandler(static.Handler()))

	g := routes{e, "", []echo.MiddlewareFunc{guest.Header, limit(maxForm)}}
	for _, path := range []string{"/i/:code", "/I/:code", "/join/:room"} {
		g.GET(path, guest.Look)
		g.POST(path, guest.Press)
		g.GET(path+"/wait", guest.Wait)
		g.GET(path+"/invite.ics", guest.Calendar)
		g.POST(path+"/request", guest.Request)
	}
	g.GET("/i/:code/qr.svg", guest.LinkQR)
	g.GET("/join/:room/move", guest.Unmoved)
	g.POST("/join/:room/move", guest.Offer)
	g.GET("/join/:room/move/state", guest.MoveState)
	g.GET("/m", guest.TypeMove)
	for _, path := range []string{"/m/:code", "/M/:code"} {
		g.GET(path, guest.ShowMove)
		g.POST(path, guest.TakeMove)
		g.GET(path+"/qr.svg", guest.MoveQR)
	}
	g.GET("/join/:room/live", guest.Live)
	g.GET("/join/:room/admitted", guest.Admitted)
	g.POST("/join/:room/admitted", guest.Enter)

	d := routes{e, "", []echo.MiddlewareFunc{limit(maxForm), doors.Load}}
	d.GET("/signin", host.SignInPage)
	d.POST("/signin", host.SignIn)
	d.GET("/signin/code", host.CodePage)
	d.POST("/signin/code", host.Code)
	d.POST("/signin/passkey/ask", host.AskPasskey)
	d.POST("/signin/passkey", host.PasskeySignIn)
	d.POST("/signin/code/passkey/ask", host.AskPasskeyCode)
	d.POST("/signin/code/passkey", host.PasskeyCode)
	d.POST("/signout", host.SignOut)
	d.GET("/", host.Signed(host.List))
	d.GET("/account", host.Signed(host.Account))
	d.POST("/account/sessions/end", host.Secured(host.EndSignIns))
	d.POST("/account/sessions/:signin/end", host.Secured(host.EndSignIn))
	d.POST("/account/sessions/:signin/known", host.Secured(host.KnowSignIn))
	d.GET("/account/keys", host.Signed(host.APIKeys))
	d.POST("/account/keys", host.Secured(host.MakeAPIKey))
	d.GET("/account/keys/:key", host.Secured(host.APIKey))
	d.POST("/account/keys/:key/remove", host.Secured(host.RemoveAPIKey))
	d.GET("/account/apps", host.Signed(host.AppList))
	d.POST("/account/apps", host.Secured(host.MakeApp))
	d.GET("/account/apps/:app", host.Secured(host.AppDetail))
	d.POST("/account/apps/:app/scopes", host.Secured(host.LimitApp))
	d.POST("/account/apps/:app/secret", host.Secured(host.NewAppSecret))
	d.POST("/account/apps/:app/remove", host.Secured(host.RemoveApp))
	d.POST("/account/apps/:app/withdraw", host.Secured(host.WithdrawApp))
	d.GET("/account/person", host.Signed(host.Person))
	d.POST("/account/person", host.Signed(host.FindPerson))
	d.POST("/account/person/export", host.Signed(host.ExportPerson))
	d.POST("/account/person/delete", host.Signed(host.DeletePerson))
	d.GET("/account/signing-keys", host.Signed(host.SigningKeys))
	d.POST("/account/signing-keys/rotate", host.Signed(host.RotateKeys))
	d.GET("/account/second-factor", host.Enrolling(host.SecondFactor))
	d.POST("/account/second-factor/request", host.Enrolling(host.RequestFactor))
	d.POST("/account/second-factor/confirm", host.Enrolling(host.ConfirmFactor))
	d.POST("/account/second-factor/codes", host.Secured(host.RecoverFactor))
	d.POST("/account/second-factor/disable", host.Secured(host.DisableFactor))
	d.POST("/account/second-factor/require", host.Secured(host.RequireFactor))
	d.POST("/account/second-factor/reset", host.Secured(host.ResetFactor))
	d.GET("/account/passkeys", host.Enrolling(host.Passkeys))
	d.POST("/account/passkeys", host.Enrolling(host.AddPasskey))
	d.POST("/account/passkeys/request", host.Enrolling(host.RequestPasskey))
	d.POST("/account/passkeys/:passkey/remove", host.Secured(host.RemovePasskey))
	d.GET("/live", host.Signed(host.LiveRooms))
	d.POST("/rooms", host.Signed(host.Create))
	d.GET("/rooms/:room", host.Signed(host.Room))
	d.POST("/rooms/:room", host.Signed(host.Edit))
	d.GET("/rooms/:room/edit", host.Signed(host.EditPage))
	d.GET("/rooms/:room/copy", host.Signed(host.CopyPage))
	d.GET("/rooms/:room/history", host.Signed(host.History))
	d.GET("/rooms/:room/attendance", host.Signed(host.Attendance))
	d.GET("/rooms/:room/attendance.csv", host.Signed(host.AttendanceTable))
	d.GET("/rooms/:room/sheet", host.Signed(host.Sheet))
	d.POST("/rooms/:room/revoke", host.Signed(host.RevokeAll))
	d.POST("/rooms/:room/restore", host.Signed(host.RestoreAll))
	d.POST("/rooms/:room/mail", host.Signed(host.MailAll))
	d.POST("/rooms/:room/mail/stop", host.Signed(host.StopMail))
	d.POST("/rooms/:room/owner", host.Signed(host.HandOver))
	d.POST("/rooms/:room/close", host.Signed(host.Close))
	d.POST("/rooms/:room/reopen", host.Signed(host.Reopen))
	d.POST("/rooms/:room/close-rest", host.Signed(host.CloseRest))
	d.POST("/rooms/:room/reopen-rest", host.Signed(host.ReopenRest))
	d.GET("/rooms/:room/live", host.Signed(host.LiveRoom))
	d.POST("/rooms/:room/enter", host.Signed(host.Enter))
	d.GET("/rooms/:room/door", host.Signed(host.Door))
	d.POST("/rooms/:room/door", host.Signed(host.AtDoor))
	d.POST("/rooms/:room/remove", host.Signed(host.Remove))
	d.POST("/rooms/:room/readmit", host.Signed(host.Readmit))
	d.POST("/rooms/:room/invitations", host.Signed(host.Mint))
	d.GET("/rooms/:room/bulk", host.Signed(host.Bulk))
	routes{e, "", []echo.MiddlewareFunc{limit(maxList + maxBody), doors.Load}}.POST("/rooms/:room/bulk", host.Signed(host.BulkList))
	d.GET("/rooms/:room/batches/:batch", host.Signed(host.Batch))
	d.GET("/rooms/:room/batches/:batch/links.csv", host.Signed(host.BatchCSV))
	d.GET("/invitations/:id", host.Signed(host.Invitation))
	d.POST("/invitations/:id", host.Signed(host.Rename))
	d.GET("/invitations/:id/qr.png", host.Signed(host.QR))
	d.GET("/invitations/:id/qr.svg", host.Signed(host.QR))
	d.GET("/invitations/:id/invite.ics", host.Signed(host.Calendar))
	d.POST("/invitations/:id/revoke", host.Signed(host.Revoke))
	d.POST("/invitations/:id/restore", host.Signed(host.Restore))
	d.POST("/invitations/:id/reissue", host.Signed(host.Reissue))
	d.POST("/invitations/:id/moves", host.Signed(host.AllowMove))
	d.POST("/invitations/:id/mail", host.Signed(host.Mail))
	d.GET("/requests/:id", host.Signed(host.Request))
	d.POST("/requests/:id/answer", host.Signed(host.Answer))
	d.POST("/requests/:id/invite", host.Signed(host.AnswerBeside))
	d.POST("/requests/:id/dismiss", host.Signed(host.Dismiss))
	d.POST("/requests/:id/recall", host.Signed(host.Recall))

	l := routes{e, "", []echo.MiddlewareFunc{limit(maxForm), as.Guard, doors.Load}}
	l.GET(session.AskPath, as.Authorize)
	l.POST(session.AskPath, as.Decide)
	t := routes{e, "", []echo.MiddlewareFunc{limit(maxForm), as.Guard}}
	t.GET("/.well-known/oauth-authorization-server", as.Metadata)
	t.POST("/oauth/revoke", as.Revoke)
	t.POST("/oauth/introspect", as.Introspect)
	t.POST("/oauth/register", as.Register)
	free.GET("/.well-known/jwks.json", as.JWKS)
	calls := session.Calls(a.Origins)
	u := routes{e, "", []echo.MiddlewareFunc{calls, limit(maxForm), as.Guard}}
	u.POST("/oauth/token", as.Token)
	u.POST("/api/v1/apps", as.RegisterApp)

	routes{e, "/api/v1", []echo.MiddlewareFunc{calls, limit(maxBody)}}.POST("/users/token", rest.Token)
	f := routes{e, "/api/v1/users/me/two-factor", []echo.MiddlewareFunc{limit(maxBody), doors.Personal}}
	f.POST("/request", rest.RequestTwoFactor)
	f.POST("/confirm-request", rest.ConfirmTwoFactor)
	f.POST("/disable", rest.DisableTwoFactor)
	if a.APIKeySecret != "" {
		m := routes{e, "/api/v1", []echo.MiddlewareFunc{rest.Keyed, limit(maxBody)}}
		m.POST("/meeting", rest.Meeting)
		m.POST("/join", rest.JoinLink)
		m.POST("/token", rest.JoinToken)
	}
	routes{e, "/api/v1", []echo.MiddlewareFunc{limit(maxList), doors.Bearer}}.POST("/rooms/:room/invitations/bulk", rest.MintMany)
	r := routes{e, "/api/v1", []echo.MiddlewareFunc{limit(maxBody), doors.Bearer}}
	r.GET("/apps/verify_credentials", as.VerifyApp)
	r.POST("/rooms", rest.CreateRoom)
	r.GET("/rooms", rest.ListRooms)
	r.GET("/rooms/:room", rest.Room)
	r.PATCH("/rooms/:room", rest.ChangeRoom)
	r.DELETE("/rooms/:room", rest.CloseRoom)
	r.POST("/rooms/:room/reopen", rest.ReopenRoom)
	r.GET("/rooms/:room/events", rest.RoomEvents)
	r.GET("/rooms/:room/attendance.csv", rest.Attendance)
	r.POST("/rooms/:room/invitations", rest.Mint)
	r.GET("/rooms/:room/invitations", rest.ListInvitations)
	r.POST("/invitations/inspect", rest.Inspect)
	r.POST("/invitations/redeem", rest.Redeem)
	r.GET("/invitations/:id", rest.Invitation)
	r.PATCH("/invitations/:id", rest.ChangeInvitation)
	r.POST("/invitations/:id/revoke", rest.Revoke)
	r.POST("/invitations/:id/restore", rest.Restore)
	r.POST("/invitations/:id/reissue", rest.Reissue)
	r.GET("/invitations/:id/qr.png", rest.QR)
	r.GET("/invitations/:id/qr.svg", rest.QR)
	r.GET("/invitations/:id/invite.ics", rest.Calendar)
	r.GET("/invitations/:id/events", rest.InvitationEvents)
	r.GET("/invitations/:id/mail", rest.LatestMail)
	r.POST("/invitations/:id/mail", rest.Mail)
	r.POST("/rooms/:room/mail", rest.MailRoom)
	return e
}

// first is the first of them, or nothing.
func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
