"""The contacts of the demo: how to reach each, what they drive, and what their year is made of.

First line: key, name, chats in order of preference (w WhatsApp, s SMS, m Messenger, i Instagram,
t Telegram, c web chat), branch, and how many days ago the first story begins. The plan names the
stories, `story:i` where one happens in another chat. `waits` is what they wait for now, and for
how many minutes; `nobody` can answer a withheld number. Numbers are valid, but of the 555 kind.
"""

TEXT = """
gaby | Gabriela Montes de Oca | w | del-valle | 362
phone: +525555550101
mail: gmontesdeoca@example.com
plan: flota_compra flota_servicio flota_rapida flota_correo flota_auxilio flota_servicio
  flota_grupo flota_cuenta flota_rapida flota_servicio golpe flota_correo flota_grupo
  flota_auxilio flota_servicio flota_rapida flota_correo flota_cuenta flota_servicio flota_grupo
  flota_auxilio flota_servicio flota_rapida flota_auxilio flota_servicio flota_rapida
autos: Faena 2021 LB-41-807, Faena 2022 LB-52-118, Mezquite 2020 KZ-90-334, Faena 2023
  LC-07-561, Faena 2021 LB-41-912, Mezquite 2022 KZ-93-275
waits: ya_flota 24
company: Distribuidora La Espiga
landline: +525555550191
mates: Arturo Beltrán <compras@laespiga.example.com>, Silvia Ocampo
  <contabilidad@laespiga.example.com>
crew: Ramiro Cuéllar <+525555550192>, Efraín Soto <+525555550193>

oscar | Óscar Villaseñor Rico | wt | satelite | 355
phone: +525555550102
mail: oscar.villasenor@example.com
plan: servicio falla refaccion verificacion llantas duda_horario cita_web golpe encuesta
  garantia pago:t servicio accesorios verificacion poliza queja servicio_tel llave refaccion
  falla factura duda_horario:t llamado cita_web
autos: Lucero 2020 P31-CDM, Brisa 2021 R77-ELX, Lucero 2022 T09-FNQ
waits: ya_queja 48

paola | Paola Quintanar Herrera | wi | santa-fe | 350
phone: +525555550103
mail: paola.quintanar@example.com
plan: interes_web prueba oferta toma credito entrega cortesia encuesta servicio accesorios
  historia:i garantia pago factura servicio_tel golpe queja reactivar servicio llantas poliza
  encuesta falla
autos: Lucero 2018 H20-JPR
waits: ya_listo 11
nick: pao.quintanar

beatriz | Beatriz Arriaga Luna | w | del-valle | 340
phone: +525555550104
mail: beatriz@arriaga.example.com
plan: broker_caso poliza broker_caso broker_caso flota_cuenta broker_caso broker_caso cortesia
  broker_caso broker_caso
autos: Cumbre 2021 W15-PLT, Brisa 2020 K82-OVS, Lucero 2019 D64-MTI, Mezquite 2021 G38-XAC,
  Cumbre Híbrida 2022 V57-QER
company: Arriaga Agente de Seguros
landline: +525555550194
mates: Mesa de siniestros <siniestros@atalaya.example.com>

ana | Ana Núñez Cordero | wi | del-valle | 46
phone: +525555550105
mail: ana.nunez@example.com
plan: interes_anuncio prueba oferta
waits: ya_precio 3
nick: ana.nuco

marifer | María Fernanda Gutiérrez de la Peña | wi | del-valle | 210
phone: +525555550106
mail: mf.gutierrez@example.mx
plan: historia:i interes_anuncio prueba oferta credito entrega encuesta accesorios servicio
autos: Brisa 2017 E91-HGW
nick: marifer.go

ramiro | Ramiro Castañeda | m | satelite | 120
phone: +525555550107
mail: ramiro.castaneda@example.com
plan: interes_anuncio prueba perdido
autos: Cumbre 2016 B13-ZKT

itzel | Itzel Zaragoza Bello | wc | santa-fe | 88
phone: +525555550108
mail: itzel.zaragoza@example.com
plan: chat_web prueba oferta credito entrega
autos: Lucero 2017 M66-YDB

joel | Joel Armenta | s | satelite | 300
phone: +525555550109
mail: joel.armenta@example.com
plan: servicio llantas verificacion cita_web falla
autos: Mezquite 2018 Q24-RSV
waits: ya_sms 7

tania | Tania Robledo Esparza | wi | del-valle | 265
phone: +525555550110
mail: tania.robledo@example.com
plan: historia:i seminuevo credito encuesta servicio reactivar
autos: Brisa 2022 J70-UPA
nick: tania_re

dagmar | Dagmar Kowalczyk | tc | santa-fe | 190
phone: +525555550111
mail: dagmar.k@example.com
plan: chat_web prueba oferta
autos: Brisa 2020 F35-NBH
waits: ya_telegram 95

sofia | Sofía Ochoa Barragán | w | del-valle | 35
phone: +525555550112
mail: sofia.ochoa@example.mx
plan: interes_web
autos: Lucero 2019 C81-KWE
waits: ya_formulario 63

ernesto | Ernesto Palafox | w | satelite | 330
phone: +525555550113
mail: epalafox@example.com
plan: cita_web queja servicio encuesta falla llamado contacto_web
autos: Cumbre 2021 S19-TLO

angela | Ángela Rus Medrano | i | del-valle | 14
plan: historia
autos: Brisa 2018 L40-VCI
waits: ya_historia 132
nick: angela.rus

whitfield | Claire Whitfield | w | santa-fe | 240
phone: +14155550123
mail: claire.whitfield@example.com
plan: en_interest en_drive en_payment en_service en_question en_warranty en_service
autos: Cumbre Híbrida 2024 Z02-GQM
waits: ya_english 19
language: en

okafor | Daniel Okafor | wt | del-valle | 150
phone: +12125550147
mail: d.okafor@example.com
plan: en_interest:t en_question en_drive:w en_payment
autos: Lucero 2022 A73-SXN
language: en

lindqvist | Maja Lindqvist | mw | santa-fe | 310
phone: +525555550114
mail: maja.lindqvist@example.com
plan: en_service:w en_warranty en_question en_service en_payment:w
autos: Brisa 2023 U58-JDF
language: en

brandt | Thomas Brandt | w | del-valle | 75
phone: +525555550115
mail: tbrandt@example.com
plan: en_question en_service en_warranty
autos: Cumbre 2022 I26-MRP
language: en

jacaranda | Fernando Jacinto Robles | w | satelite | 280
phone: +525555550116
mail: compras@jacaranda.example.com
plan: flota_compra flota_servicio flota_correo flota_rapida flota_auxilio flota_cuenta
  flota_servicio flota_grupo
autos: Faena 2020 MX-18-440, Faena 2022 MX-21-903, Brisa 2021 MX-22-076
company: Florerías Jacaranda
mates: Irma Jacinto <irma@jacaranda.example.com>
crew: Lupe Jacinto <+525555550196>

lubricantes | Verónica Sandoval | w | satelite | 345
phone: +525555550117
mail: ventas@lubricantes.example.com
plan: proveedor proveedor proveedor proveedor proveedor
company: Lubricantes del Altiplano

leonardo | Leonardo Amezcua | w | del-valle | 325
phone: +525555550118
mail: leo.amezcua@example.com
plan: interes_web prueba perdido reactivar prueba oferta credito
autos: Lucero 2016 O11-WZA
waits: ya_cotizacion 160

consuelo | Consuelo Iturbide viuda de Mora | s | del-valle | 290
phone: +525555550119
plan: servicio_tel cortesia servicio_tel llave verificacion
autos: Brisa 2015 Y99-ACU
landline: +525555550199

miguel | Miguel Ángel Tépox | w | santa-fe | 255
phone: +527225550120
mail: mtepox@example.mx
plan: falla cita_web verificacion refaccion contacto_web encuesta
autos: Mezquite 2019 X47-BIL

renata | Renata Villalpando | iw | satelite | 175
phone: +525555550121
mail: renata.v@example.com
plan: historia interes_anuncio:w prueba:w toma:w oferta:w credito:w entrega:w
autos: Brisa 2018 T55-EGY
nick: renavilla
hides: phone

gerardo | Gerardo Lozano Prieto | w | del-valle | 315
phone: +525555550122
mail: glozano@example.com
plan: factura contacto_web pago liquidar reactivar poliza
autos: Cumbre 2020 R08-OHK
waits: ya_correo 1300

yadira | Yadira Contreras | m | satelite | 130
phone: +525555550123
mail: yadira.contreras@example.com
plan: seminuevo credito pago encuesta
autos: Lucero 2020 D36-PFM

tomas | Tomás Echeverría | w | del-valle | 200
phone: +527775550124
mail: tomas.echeverria@example.com
plan: contacto_web golpe encuesta servicio llantas
autos: Cumbre 2019 K21-VQT
mates: Ajustes Quetzal <ajustes@quetzal.example.com>

abril | Abril Mondragón | c | santa-fe | 60
phone: +525555550125
mail: abril.mondragon@example.com
plan: duda_horario chat_web accesorios
autos: Brisa 2021 H62-LNR
waits: ya_chat 240

eugenio | Eugenio Barroso | w | satelite | 338
phone: +525555550126
mail: ebarroso@example.com
plan: interes_web prueba oferta entrega cita_web encuesta servicio
autos: Mezquite 2017 S83-XIG

lorena | Lorena Salgado Campos | wm | del-valle | 225
phone: +524425550127
mail: lorena.salgado@example.com
plan: interes_anuncio:m seminuevo:m credito llave cortesia
autos: Brisa 2016 G17-CWO

pedro | Pedro Infantino | w | satelite | 110
phone: +525555550128
mail: pedro.infantino@example.mx
plan: refaccion duda_horario falla accesorios
autos: Mezquite 2016 V44-JTB
waits: ya_perdidas 35

daniela | Daniela Urrutia | w | santa-fe | 270
phone: +525555550129
mail: daniela.urrutia@example.com
plan: contacto_web garantia llamado encuesta servicio boletin
autos: Cumbre Híbrida 2023 N05-DKS

felipe | Felipe Ornelas | tc | del-valle | 160
phone: +525555550130
mail: felipe.ornelas@example.com
plan: chat_web toma perdido boletin
autos: Lucero 2015 Q78-YRE

norma | Norma Alicia Pineda | w | satelite | 348
phone: +525555550131
mail: norma.pineda@example.com
plan: cita_web poliza servicio_tel cortesia rebote boletin
autos: Brisa 2019 M90-HUA
landline: +525555550195

ulises | Ulises Carranza | w | del-valle | 95
phone: +525555550132
mail: ulises.carranza@example.com
plan: interes_web prueba perdido
autos: Cumbre 2015 B59-GXL

quesos | Irene Maldonado | w | santa-fe | 180
phone: +525555550133
mail: operaciones@quesosroble.example.com
plan: flota_compra flota_servicio flota_cuenta flota_rapida
autos: Faena 2024 NP-33-715, Faena 2024 NP-33-716
company: Quesos El Roble
mates: Raúl Maldonado <direccion@quesosroble.example.com>

alma | Alma Delia Vergara | wi | del-valle | 140
phone: +525555550134
mail: alma.vergara@example.com
plan: accesorios cita_web queja encuesta historia:i
autos: Lucero 2021 E27-FSO
nick: alma.delia.v

bruno | Bruno Escamilla | m | del-valle | 50
phone: +525555550135
mail: bruno.escamilla@example.mx
plan: vacante

florista | - | s | del-valle | 118
phone: +525555550136
plan: equivocado

puerta | - | s | satelite | 41
phone: +525555550137
plan: equivocado

casandra | Casandra Pimentel | w | santa-fe | 235
phone: +523355550138
mail: casandra.p@example.com
plan: seminuevo toma prueba oferta liquidar
autos: Brisa 2020 W32-TIQ

anónimo | - | - | del-valle | 4
plan: oculto
waits: nobody
"""
