// One JsSIP user agent a page.  The test calls these functions and waits for what they promise.
'use strict';

const phone = { messages: [], session: null, sessions: [], ua: null };

// What a call says: JsSIP writes into it, and mutes its stream while the call is held.
const media = () => ({
  mediaConstraints: { audio: true, video: false },
  mediaStream: phone.sound && phone.sound.clone(),
  pcConfig: { iceServers: [] },
});

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
    phone.sessions.push(session);
    phone.over = happens(session, 'ended', 'failed');
    phone.over.catch(() => {}); // Whoever asks is told.
    if (originator === 'remote' && phone.answers) session.answer(media());
    session.on('refer', ({ accept }) => accept(null, media()));
    session.on('replaces', ({ accept }) => accept());
  });
  phone.ua.start();
  return happens(phone.ua, 'registered', 'registrationFailed');
};

phone.call = (uri) => happens(phone.ua.call(uri, media()), 'confirmed', 'failed');
phone.ring = (uri) => happens(phone.ua.call(uri, media()), 'progress', 'failed');
phone.hangUp = () => { phone.session.terminate(); return phone.over; };

// Sends the other side of the first call to |uri|, to take our place in the second where it
// |replaces| that; both are over once it is there.
phone.handOn = async (uri, replaces) => {
  const [first, second] = phone.sessions.splice(0);
  await happens(first.refer(uri, replaces ? { replaces: second } : {}), 'accepted', 'failed');
  first.terminate();
};

phone.hold = () => new Promise((resolve) => phone.session.hold({}, () => resolve('held')));
phone.resume = () => new Promise((resolve) => phone.session.unhold({}, () => resolve('resumed')));
phone.dial = (digits) => new Promise((resolve) => {
  phone.session.connection.getSenders()[0].dtmf.ontonechange = ({ tone }) => tone || resolve();
  phone.session.sendDTMF(digits, { transportType: 'RFC2833' });
});

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

// What is said instead of a microphone's beeps, in calls that are made from now on.
phone.sing = (hz) => {
  phone.context = new AudioContext();
  const source = new OscillatorNode(phone.context, { frequency: hz });
  const end = phone.context.createMediaStreamDestination();
  source.connect(end);
  source.start();
  phone.sound = end.stream;
};

// The loudest frequency of what comes, to a few hertz, and how loud it is (dBFS).
phone.pitch = async () => {
  const stream = new MediaStream(phone.session.connection.getReceivers().map(({ track }) => track));
  const sink = new Audio(); // Chromium gives no sound to others before it is played.
  sink.srcObject = stream;
  await sink.play();
  const meter = new AnalyserNode(phone.context, { fftSize: 8192, smoothingTimeConstant: 0 });
  phone.context.createMediaStreamSource(stream).connect(meter);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const levels = new Float32Array(meter.frequencyBinCount);
  meter.getFloatFrequencyData(levels);
  const at = levels.indexOf(Math.max(...levels));
  return [at * phone.context.sampleRate / meter.fftSize, levels[at]];
};

phone.leave = () => new Promise((resolve) => {
  phone.ua.on('unregistered', () => resolve('unregistered'));
  phone.ua.stop();
});
