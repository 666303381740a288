package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/rooms/hosts"
	"admitone/tokens"
)

// RequestTwoFactor answers POST /users/me/two-factor/request: a secret for the
// host's authenticator app, which nothing asks for before it is confirmed.
func (a *API) RequestTwoFactor(c echo.Context) error {
	h, err := a.byPassword(c)
	if err != nil {
		return err
	}
	e, err := a.Factors.Request(c.Request().Context(), h)
	if err != nil {
		return err
	}
	code, err := tokens.LongQR(e.URI)
	if err != nil {
		return err
	}
	return unshared(c, map[string]any{"otp_request": map[string]string{
		"request_token": e.Token, "secret": e.Secret, "uri": e.URI, "qr_svg": string(code.SVG())}})
}

// ConfirmTwoFactor answers POST /users/me/two-factor/confirm-request.
func (a *API) ConfirmTwoFactor(c echo.Context) error {
	by, err := session.Acting(c)
	if err != nil {
		return err
	}
	var in struct {
		RequestToken string `json:"request_token"`
		Code         string `json:"otp_token"`
	}
	if err := decode(c, &in, false); err != nil {
		return err
	}
	switch "" {
	case in.RequestToken:
		return rooms.Invalid{Field: "request_token", Detail: "is needed"}
	case in.Code:
		return rooms.Invalid{Field: "otp_token", Detail: "is needed"}
	}
	codes, err := a.Factors.Confirm(c.Request().Context(), by.Host, in.RequestToken, in.Code, hosts.Kept{Token: by.Mark})
	if err != nil {
		return err
	}
	return unshared(c, map[string]any{"recovery_codes": codes})
}

// DisableTwoFactor answers POST /users/me/two-factor/disable.
func (a *API) DisableTwoFactor(c echo.Context) error {
	h, err := a.byPassword(c)
	if err != nil {
		return err
	}
	if err := a.Factors.Disable(c.Request().Context(), h); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// byPassword is the host of the token, who sends the password too.
func (a *API) byPassword(c echo.Context) (hosts.Host, error) {
	by, err := session.Acting(c)
	if err != nil {
		return hosts.Host{}, err
	}
	var in struct {
		Password string `json:"current_password"`
	}
	if err := decode(c, &in, false); err != nil {
		return hosts.Host{}, err
	}
	if in.Password == "" {
		return hosts.Host{}, rooms.Invalid{Field: "current_password", Detail: "is needed"}
	}
	return by.Host, a.Doors.Password(c, by.Host, in.Password)
}

// unshared answers what nobody on the way may keep.
func unshared(c echo.Context, v any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, v)
}
