package views

import (
	"time"

	"github.com/a-h/templ"
)

func bulkSamples(s map[string]templ.Component) {
	s["bulk"] = BulkPage(Bulk{Page: page(""), Room: "Weekly standup", Slug: "standup", RoomEnds: true,
		Batches: []BatchLine{{ID: "batch_02", Count: 800, At: now}, {ID: "batch_01", Count: 1, At: now.Add(-time.Hour)}}})
	s["bulk-refused"] = BulkPage(Bulk{Page: page(""), Room: bidiName, Slug: "standup", List: scriptName, Wrong: Invalid("are more than 10,000"), Expires: "7d"})
	s["bulk-closed"] = BulkPage(Bulk{Page: page(""), Room: "Weekly standup", Slug: "standup", Closed: true})
	v := BulkPreview{Page: page(""), Room: "Weekly standup", Slug: "standup", List: "name\n\"" + scriptName, Expires: "7d", Wish: "once", Rest: "data:text/csv;charset=utf-8;base64,77u/", Total: 10000, Good: 9996, Bad: 3, Doubles: 1, Hosts: 2,
		Unused: []string{"Company", scriptName, bidiName},
		Rows: []BulkRow{
			{Row: 7, Line: 9, Name: scriptName, Email: "nobody", Wrong: []BulkFault{{"email", Invalid("is not a mail address")}, {"expires_in", Invalid("is a duration such as 90m, 2h or 7d")}}},
			{Row: 8, Line: 10, Name: longName, Wrong: []BulkFault{{"", Invalid("has more cells than the list has headings")}}},
			{Row: 9, Line: 11, Wrong: []BulkFault{{"given name", Invalid("is not UTF-8: save the list as “CSV UTF-8”")}}},
			{Row: 10, Line: 12, Name: bidiName, Email: "ada@mail.example", Double: true, Wrong: []BulkFault{{"email", Invalid("has an invitation to this room already")}}},
			{Row: 1, Line: 2, Name: "Ada Lovelace", Email: "ada@mail.example", Role: RoleGuest, Ends: now.Add(time.Hour)},
			{Row: 2, Line: 3, Role: RoleHost, Begins: now, Ends: now.Add(time.Hour), People: 3, PIN: true, Language: "de"},
		}}
	s["bulk-preview"] = BulkPreviewPage(v)
	v.Changed, v.Total, v.Good, v.Bad, v.Doubles, v.Unused, v.Rows, v.Rest = true, 2, 2, 0, 0, nil, v.Rows[4:], ""
	s["bulk-preview-all-good"] = BulkPreviewPage(v)
	v.Good, v.Bad, v.Rows = 0, 2, nil
	s["bulk-preview-none-good"] = BulkPreviewPage(v)
	s["batch"] = BatchPage(Batch{Page: page(""), Room: "Weekly standup", Slug: "standup", ID: "batch_01", Count: 800, At: now, Hosts: 2, Good: 790, Mail: true, Addresses: 700, Sample: "inv_01"})
	s["batch-one"] = BatchPage(Batch{Page: page(""), Room: bidiName, Slug: "standup", ID: "batch_01", Count: 1, At: now, Good: 1})
}
