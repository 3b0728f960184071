// One JsSIP user agent a page.  The test calls these functions and waits for what they promise.
'use strict';

const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
const phone = { messages: [], session: null, ua: null };

// Resolves at the event |good| of |source|, rejects at |bad|.
const happens = (source, good, bad) => new Promise((resolve, reject) => {
  source.on(good, () => resolve(good));
  source.on(bad, (event) => reject(new Error(`${bad}: ${event.cause}`)));
});

phone.register = (url, user, password) => {
  phone.ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${user}@atlanta.example`,
    password,
    register_expires: 120,
  });
  phone.ua.on('newMessage', ({ originator, request }) => {
    if (originator === 'remote') phone.messages.push(request.body);
  });
  phone.ua.on('newRTCSession', ({ originator, session }) => {
    phone.session = session;
    phone.over = happens(session, 'ended', 'failed');
    phone.over.catch(() => {}); // Whoever asks is told.
    if (originator === 'remote' && phone.answers) session.answer(media);
  });
  phone.ua.start();
  return happens(phone.ua, 'registered', 'registrationFailed');
};

phone.call = (uri) => happens(phone.ua.call(uri, media), 'confirmed', 'failed');
phone.ring = (uri) => happens(phone.ua.call(uri, media), 'progress', 'failed');
phone.hangUp = () => { phone.session.terminate(); return phone.over; };

phone.say = (uri, text) => new Promise((resolve, reject) => {
  phone.ua.sendMessage(uri, text, {
    eventHandlers: {
      succeeded: () => resolve('succeeded'),
      failed: (event) => reject(new Error(`MESSAGE: ${event.cause}`)),
    },
  });
});

// How many packets of sound have come.
phone.heard = async () => {
  let packets = 0;
  for (const report of (await phone.session.connection.getStats()).values()) {
    if (report.type === 'inbound-rtp') packets += report.packetsReceived;
  }
  return packets;
};

phone.leave = () => new Promise((resolve) => {
  phone.ua.on('unregistered', () => resolve('unregistered'));
  phone.ua.stop();
});
