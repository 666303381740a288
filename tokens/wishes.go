package tokens

import (
	"fmt"
	"net/url"
	"regexp"

	"admitone/rooms"
)

// maxAvatar is the longest address of a picture, in characters.
const maxAvatar = 500

var timeLimit = regexp.MustCompile(`^(?:unlimited|\d{1,3}:\d{2}:\d{2})$`)

// cleanWishes returns how somebody wishes to come in, a query such as
// "audio=false&video=true", in its one spelling: by name, each once. They are
// passed on to a back end, so only those are taken whose meaning is known:
// rooms.Invalid otherwise, with the wish as its field.
func cleanWishes(query string) (string, error) {
	wishes, err := url.ParseQuery(query)
	if err != nil {
		return "", rooms.Invalid{Field: "wishes", Detail: "is no query"}
	}
	for name, values := range wishes {
		if len(values) != 1 {
			return "", rooms.Invalid{Field: name, Detail: "is wished more than once"}
		}
		if err := checkWish(name, values[0]); err != nil {
			return "", err
		}
	}
	return wishes.Encode(), nil
}

func checkWish(name, value string) error {
	switch name {
	case "audio", "video", "screen", "chat", "hide", "notify":
		if value != "true" && value != "false" {
			return rooms.Invalid{Field: name, Detail: "is true or false"}
		}
	case "duration":
		if !timeLimit.MatchString(value) {
			return rooms.Invalid{Field: name, Detail: `is written like "01:30:00", or "unlimited"`}
		}
	case "avatar":
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "https" || u.Host == "" || len(value) > maxAvatar {
			return rooms.Invalid{Field: name, Detail: fmt.Sprintf("is the https address of a picture, of at most %d characters", maxAvatar)}
		}
	default:
		return rooms.Invalid{Field: name, Detail: "is no wish that a back end knows"}
	}
	return nil
}
