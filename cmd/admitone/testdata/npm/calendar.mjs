// Says what the library ical.js reads in the calendar file on its standard input: the instants in UTC, and as the
// clocks of the zone given show them.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const text = readFileSync(0, "utf8");
const calendar = new ICAL.Component(ICAL.parse(text));
const event = calendar.getFirstSubcomponent("vevent");
const value = (name) => event.getFirstPropertyValue(name)?.toString() ?? null;
const clock = (name) => new Intl.DateTimeFormat("sv-SE", { timeZone: process.argv[2], dateStyle: "short", timeStyle: "short" })
  .format(event.getFirstPropertyValue(name).toJSDate());
const who = (name) => {
  const p = event.getFirstProperty(name);
  return p && [p.getParameter("cn") ?? "", p.getFirstValue()];
};
console.log(JSON.stringify({
  method: calendar.getFirstPropertyValue("method"), uid: value("uid"), sequence: event.getFirstPropertyValue("sequence"), status: value("status"),
  start: event.getFirstPropertyValue("dtstart").toJSDate().toISOString(), starts: clock("dtstart"), ends: clock("dtend"),
  summary: value("summary"), description: value("description"), location: value("location"), url: value("url"),
  organizer: who("organizer"), attendee: who("attendee"), events: calendar.getAllSubcomponents().length,
}));
