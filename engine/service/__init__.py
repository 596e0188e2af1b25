"""Commands and queries; the one door for cli, web and adapters' commands.

- ``directory``: authorities, people, mailboxes
- ``arrivals``: what comes in
- ``exchanges``: what goes out, and what became of it
- ``deadlines``, ``schedules``: what time brings
- ``migration``: from post to electronic

Modules beside them: what all of these stand on (installation, access, numbers, stories), and what moves a
case (starting, advance, tasks, messages, timing, repairing, work).
"""
