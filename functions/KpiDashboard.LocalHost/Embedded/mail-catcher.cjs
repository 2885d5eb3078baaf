// Keeps every mail that it is sent as a file, and passes none on. Arguments: the package smtp-server, the folder, the port (0 for any), how many mails
// to keep, how many bytes one may have, and which recipients to refuse, as JSON of address to code.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { randomBytes } = require('node:crypto');

const [program, folder, port, most, limit, refused] = process.argv.slice(1);
const { SMTPServer } = require(program);
const refusals = JSON.parse(refused);
const failure = (code, text) => Object.assign(new Error(text), { responseCode: code });
let count = 0;

function keep(mail) {
  // Sortable by time, and within a millisecond by order.
  const time = new Date().toISOString().replace(/[-:.]/g, '');
  const name = `${time}-${String(count++ % 10000).padStart(4, '0')}${randomBytes(3).toString('hex')}.eml`;
  const file = path.join(folder, name);
  fs.writeFileSync(`${file}.part`, mail);
  fs.renameSync(`${file}.part`, file);
  const all = fs.readdirSync(folder).filter(entry => entry.endsWith('.eml')).sort();
  for (const old of all.slice(0, Math.max(0, all.length - Number(most)))) fs.rmSync(path.join(folder, old), { force: true });
}

const server = new SMTPServer({
  banner: 'KPI Dashboard catches mail here',
  size: Number(limit),
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  closeTimeout: 500,
  onRcptTo(address, session, done) {
    const code = refusals[address.address];
    done(code ? failure(code, `5.1.1 No such mailbox: ${address.address}`) : null);
  },
  onData(stream, session, done) {
    const parts = [];
    let bytes = 0;
    stream.on('data', part => {
      bytes += part.length;
      if (bytes <= Number(limit)) parts.push(part);
    });
    stream.on('end', () => {
      if (bytes > Number(limit)) return done(failure(552, 'The mail is too large'));
      try {
        keep(Buffer.concat(parts));
      } catch (error) {
        console.error(`A mail could not be kept: ${error.message}`);
        return done(failure(451, 'The mail could not be kept'));
      }
      done();
    });
  },
});
server.on('error', error => {
  // Clients may break off as they like.
  if (!server.server.listening) {
    console.error(error.message);
    process.exit(1);
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening ${server.server.address().port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
