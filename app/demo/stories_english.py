"""What is said with customers who write in English."""

TEXT = """
== en_interest | Ventas | campaña
x< {hola}, is the {modelo} {version} still available?
  | {hola}! I saw your ad for the {modelo}. What's the price?
  | {hola}, do you have someone who speaks English? I'm looking at the {modelo}
x> {holan}, this is {asesor} at Colibrí {sucursal}. Yes, the {modelo} {version} is {precio}, plates
  and
  road tax included. Would you pay cash or finance it?
  | {holan}! Happy to help in English. The {version} is {precio}. Are you trading anything in?
x< Financing, if a temporary resident can get it
  | Cash, but I'd like to see it in {color} first
  | Probably financing. What would I pay per month?
=x> A resident card with a year left on it is enough. I'll send you the checklist.
  [pdf checklist-{folio}.pdf]
  | We have one in {color} on the floor, come by whenever you like. Cash price is {precio2}.
  | With {enganche} down you would pay about {mensual} a month over {plazo} months.
?30-90s x< Also, is the manual available in English?
  | And does it need the emissions test every six months?
&=x> The screen is, and we print the manual for you.
  | The first one is after two years; hybrids are exempt.
x< {gracias_m}, let me talk to my partner
  | {ok}. I'll get back to you this week
x> {claro} {fin}
  | Of course. {fin}

== en_drive | Ventas
@ 1-4d
x> {holan}, would you like to drive the {modelo} {dia} at {hora}?
  | {holan}, I can hold the {modelo} for a test drive {dia} at {hora}.
x< {ok}, see you then. Is there parking?
  | Works for me. Do I need an international license?
=x> Yes, free for customers. Bring your license, any country is fine.
  | Your home license is fine. Ask for {asesor} at the desk.
cita v< Prueba de manejo del {modelo} en inglés, 30 minutos. Compara contra una marca japonesa. Pide
  cotización en inglés y plazo de {plazo} meses.
  | Vino con su pareja a manejar el {modelo}. Les gustó el {color}. Siguiente paso: enviar oferta.
2-20h e> Your {modelo} {version}: offer {folio} // {holan},¶¶Thank you for coming in. Attached is
  our offer:
  {precio2}, first-year insurance with {aseguradora} included. It is valid until {fin_mes}. {firma}
  [pdf offer-{folio}.pdf]
  | Offer {folio} for the {modelo} in {color} // {holan},¶¶As promised, here are both scenarios:
  cash at
  {precio2}, or {enganche} down and {plazo} payments of {mensual}. {firma} [pdf
  scenarios-{folio}.pdf]
3-40h e< // Hi {asesor},¶¶Thanks. Could you match the insurance for the second year too? {firma_c}
  | // Hello,¶¶Looks good. Which documents do you need from me? {firma_c}
=e> // {holan},¶¶I can do half of the second year. Final answer from my manager! {firma}
  | // {holan},¶¶Passport, resident card and a utility bill. A photo is enough for now. {firma}
1-20h l> answered 150-480
x< {ok}, let's do it
  | We decided: yes 🎉
x> Wonderful! I'll set everything up and text you the delivery date.
  | Great news, {nombre}! Order {folio} is in.
@ 3-6d
1-2d x> {holan}, your {modelo} is ready. Delivery {dia} at {hora}?
  | Plates are here! Can you pick it up {dia} at {hora}?
x< Can't wait, see you {dia}
  | Yes please!
cita v< Entrega del {modelo}, explicación completa en inglés. Firma contrato, folio {folio}.
1-2h x> Congratulations on your {modelo}! Here's your picture. [foto delivery-{folio}.jpg]
  | Enjoy the ride, {nombre}! {fin} [foto delivery-{folio}.jpg]

== en_service | Taller
x< {hola}, I need the {kms} km service for my {auto}
  | {hola}, there's a squeaking noise from the front brakes of my {auto}
  | {hola}, can I book an oil change for my {auto}?
@ 1-4d
x> {holan}! I have a slot {dia} at {hora}. It is {costo} and takes about three hours.
  | {holan}, sure: {dia}, {hora}, order {orden}. {costo} with a wash.
x< {ok}, book it please
  | Could you also check the A/C?
=x> Booked. {fin}
  | Noted on order {orden}. {fin}
cita v< Recepción del {auto} {placa}, {km} km. Cliente habla inglés; llamar antes de cualquier
  extra.
1-3h x> {holan}, we recommend replacing {pieza}: {costo2} with labor. OK to go ahead?
  [foto {orden}-detail.jpg]
  | Inspection done. Everything is fine except {pieza}, {costo2}. Shall we do it?
x< Is it safe to wait a month?
  | Go ahead
  | ^ That's more than I expected. Genuine parts?
=x> Safe for about 3,000 km, but please not longer.
  | Thank you, we're on it.
  | Genuine, with a one-year warranty.
1-3h x> All done, {nombre}. Total {costo}. We close at {cierre}.
  | Your {auto} is ready and washed ✨
x< On my way
  | {gracias_m}! Can I pay with a foreign card?
=x> See you soon! {fin}
  | Any card works. {fin}

== en_warranty | Posventa
e< Warranty question, plates {placa} // Hi,¶¶The touch screen of my {auto} freezes every other day.
  Is that
  covered? {firma_c} [video screen-{placa}.mp4]
  | Rattle in my {auto} // Hello,¶¶After the last service there is a rattle at 80 km/h. Please
  advise.
  {firma_c}
=e> // {holan},¶¶It is covered. Could you bring the car in for 40 minutes this week? {firma}
  | // {holan},¶¶Sorry to hear that. Please come by, the inspection is on us. Case {folio}. {firma}
4-30h e< // Sure, I can come in on Thursday morning. {firma_c}
  | // I'm traveling until Monday. Would Tuesday work? {firma_c}
e> // {holan},¶¶That works. Ask for {asesor}. {firma}
  | // {holan},¶¶Confirmed, case {folio}. {firma}
2-4d v< Revisión en garantía del {auto}, caso {folio}. Actualización de software y ajuste de
  molduras.
2-8h x> {holan}, how is the {auto} behaving after today's visit?
  | Did the update fix it, {nombre}?
2-20h x< So far so good!
  | Yes, no freezing since. {gracias_m}
x> Glad to hear it. {fin}
  | Perfect. {fin}

== en_payment | Financiamiento
x< {hola}, did my payment of {mensual} go through?
  | {hola}, how do I pay from a US account?
=x> {holan}, it did: receipt {folio}. [pdf receipt-{folio}.pdf]
  | {holan}, by international wire with your contract number as reference. [pdf wire-{folio}.pdf]
x< {gracias_m}!
  | Got it
x> {fin}
  | You're welcome. {fin}

== en_question | Posventa
x< {hola}, are you open on Saturday?
  | {hola}, do you ship parts to San Miguel de Allende?
  | Quick question: does the {auto} take premium gas?
=x> {holan}, Saturdays from 9 to 2. Sales and service.
  | {holan}, yes, next-day courier. Which part?
  | {holan}, regular is fine, premium is optional.
?x< {gracias_m}!
  | Good to know
&x> {fin}
"""
