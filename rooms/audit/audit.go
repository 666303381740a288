// Package audit names who did what to which room or invitation, and when.
//
// It never decides anything and never writes by itself: an Event travels with
// the change it describes and is stored in the same transaction, or not at all.
package audit

// ActorKind tells what sort of party an Actor is.
type ActorKind string

// The parties that can change something.
const (
	Host   ActorKind = "host"
	Client ActorKind = "client"
	Guest  ActorKind = "guest"
	System ActorKind = "system"
)

// Actor is whoever did something. Name is a username, a client's id, the name
// a guest gave, or the name of a part of the system such as "cli".
type Actor struct {
	Kind ActorKind
	Name string
}

// Kind names what happened, as "noun.verb"; it is stable and shown to scripts.
type Kind string

// What can happen.
const (
	RoomCreated  Kind = "room.created"
	RoomChanged  Kind = "room.changed"
	RoomClosed   Kind = "room.closed"
	RoomReopened Kind = "room.reopened"
	// RoomHandedOver has the new owner's username as its detail.
	RoomHandedOver Kind = "room.handed_over"

	InvitationMinted Kind = "invitation.minted"
	// InvitationsMinted is a list of them, of which the room's history has this one
	// line and each one's own InvitationMinted; the detail is how many.
	InvitationsMinted  Kind = "invitations.minted"
	InvitationOpened   Kind = "invitation.opened"
	InvitationRedeemed Kind = "invitation.redeemed"
	InvitationChanged  Kind = "invitation.changed"
	InvitationMoved    Kind = "invitation.moved"
	InvitationRevoked  Kind = "invitation.revoked"
	InvitationRestored Kind = "invitation.restored"
	InvitationReissued Kind = "invitation.reissued"
	// InvitationRefused has the reason's code as its detail.
	InvitationRefused Kind = "invitation.refused"

	RoomEntered      Kind = "room.entered" // somebody's page opened who was not there
	RoomLeft         Kind = "room.left"
	AdmissionEnded   Kind = "admission.ended" // a host removed somebody
	AdmissionResumed Kind = "admission.restored"

	ConferenceEntered Kind = "conference.entered"     // a join link was handed out
	ConferenceRemoved Kind = "conference.removed"     // it removed who had come in by one
	ConferenceKept    Kind = "conference.not_removed" // it could not be reached for that
	ConferenceEnded   Kind = "conference.ended"       // it ended the meeting of a room that was closed
	ConferenceWentOn  Kind = "conference.not_ended"   // it could not be reached for that

	KeysRotated   Kind = "keys.rotated" // new signing keys were made; the detail is the algorithm where that changed
	HostNewDevice Kind = "host.new_device"
	HostSignedOut Kind = "host.signed_out_everywhere"
	HostChanged   Kind = "host.changed" // another password, or no host any more; the detail is whose

	FactorEnabled     Kind = "host.second_factor_enabled"
	FactorDisabled    Kind = "host.second_factor_disabled"
	FactorReset       Kind = "host.second_factor_reset" // by an admin; the detail is whose
	RecoveryCodesMade Kind = "host.recovery_codes_made"
	RecoveryCodeUsed  Kind = "host.recovery_code_used"
	FactorRequired    Kind = "hosts.second_factor_required" // of everybody
	FactorOptional    Kind = "hosts.second_factor_optional"

	// Of these the detail is the passkey's name.
	PasskeyAdded   Kind = "host.passkey_added"   //nolint:gosec // the name of an event
	PasskeyRemoved Kind = "host.passkey_removed" //nolint:gosec // the name of an event
	PasskeyCopied  Kind = "host.passkey_copied"  // it was refused: its counter went back

	// Of these the detail begins with the app's or key's id, unless that is the
	// actor; then it is the host's for whom it acts.
	ClientRegistered Kind = "client.registered"
	ClientAllowed    Kind = "client.allowed" // and what, joined by commas
	ClientDisallowed Kind = "client.disallowed"
	ClientLimited    Kind = "client.limited"
	ClientSecretMade Kind = "client.secret_made"
	ClientRemoved    Kind = "client.removed"
	ClientToken      Kind = "client.token"    // it got an access token
	ClientReplayed   Kind = "client.replayed" // a code or refresh token came twice: all that came of it ended
	ClientTokenEnded Kind = "client.token_ended"
	KeyMade          Kind = "key.made"
	KeyRemoved       Kind = "key.removed"

	InvitationRequested   Kind = "invitation.requested"         // somebody asked for a new link
	RequestDismissed      Kind = "invitation.request_dismissed" // and got none
	RequestRecalled       Kind = "invitation.request_recalled"  // which was taken back
	InvitationMovedDevice Kind = "invitation.moved_device"      // a person went on, on another device
	InvitationReturned    Kind = "invitation.use_returned"      // at a door somebody was let in and that was undone
	// InvitationDoorConflict is of somebody whom a door let in without asking, and who
	// is not admitted; the detail is the refusal's code.
	InvitationDoorConflict Kind = "invitation.door_conflict"

	InvitationMailed Kind = "invitation.mail_asked" // somebody wants it sent by mail
	MailSent         Kind = "invitation.mail_sent"  // the mail server took it; the detail is the Word
	// MailRefused has the mail server's reason as its detail.
	MailRefused  Kind = "invitation.mail_refused"
	MailDoubtful Kind = "invitation.mail_doubtful" // nobody knows whether the mail server took it
	// MailsStopped has as its detail how many invitations did not go out, since a host
	// stopped them.
	MailsStopped Kind = "mails.stopped"
)

// Word is what people who were invited by mail are told.
type Word string

// The words of mails.
const (
	Invited   Word = "invited"
	Moved     Word = "moved"      // the room has another time
	CalledOff Word = "called_off" // the invitation was revoked, or the room closed
	OnAgain   Word = "on_again"   // the room is open again, for those who were told that it is off
)

// Tell has people told of a change who were invited by mail, unless Word is
// empty: it is queued in the same transaction, to go out no earlier than At.
type Tell struct {
	Word Word
	At   int64
}

// NamesRemoved has as its detail from how many of the room's invitations all was
// removed that tells who was invited.
const NamesRemoved Kind = "names.removed"

// Coded are the kinds of an invitation's history whose detail is codes: it tells of
// nobody, as what people and other machines wrote may.
func Coded() []Kind {
	return []Kind{InvitationRedeemed, InvitationChanged, InvitationReissued, InvitationRefused, InvitationDoorConflict, InvitationRequested, InvitationMailed, MailSent}
}

// Codes that a Detail can be.
const (
	OldEnded    = "old_ended"     // of InvitationReissued: the old link is worthless
	OldShared   = "old_shared"    // of InvitationReissued: both links share their uses
	OldApart    = "old_apart"     // of InvitationReissued: the new link is somebody else's, and the old one as it was
	OneMoreMove = "one_more_move" // of InvitationChanged: to another device
	AtDoor      = "at_door"       // of InvitationRedeemed: by a host who saw the person
)

// Event is one line of history. At is Unix milliseconds in UTC; Room,
// Invitation and Admission are ids, 0 where the event is not about one.
// Detail is empty, or what the Kind says it is: codes joined by commas (the
// API's names of the members that changed, or one of those below), or else what
// a person gave as the reason, as typed. It never holds a secret.
type Event struct {
	ID         int64
	At         int64
	Actor      Actor
	Kind       Kind
	Room       int64
	Invitation int64
	Admission  int64
	Detail     string
	// Tell is carried out with the change and not kept in the history.
	Tell Tell
}
