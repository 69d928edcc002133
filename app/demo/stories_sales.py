"""What is said when somebody buys a car: first question, test drive, offer, credit, delivery."""

TEXT = """
== interes_web | Ventas | campaña
f< Me interesa el {modelo} {version}. ¿Lo tienen en color {color}?
  | Quisiera agendar una prueba de manejo del {modelo}, de preferencia por la tarde.
  | Solicito cotización del {modelo} {version} con 20 % de enganche.
  | Busco un auto para la familia y vi el {modelo} en su página. ¿Precio de contado?
6-50m l> no_answer 0
1-4m x> {holan}, soy {asesor} de Colibrí {sucursal}. Recibí tu solicitud del {modelo} y te marqué
  hace un momento. ¿Te queda bien que platiquemos por aquí?
  | {holan}. Te escribe {asesor}, de Colibrí {sucursal}. Vi tu registro por el {modelo} {version};
  te llamé pero no te encontré. ¿A qué hora te puedo marcar?
  | {holan}, soy {asesor}. Gracias por tu interés en el {modelo}. No logré comunicarme; si
  prefieres, te paso la información por este medio.
x< {hola}, perdón, estaba en una junta. Sí, por aquí está bien
  | {hola}, por aquí mejor, en el trabajo no puedo contestar
  | Ah sí, {gracias}. Por mensaje me queda perfecto
30-90s x< ¿Cuánto sale el {version}?
  | Sobre todo quiero saber precio y mensualidad
  | ¿Qué precio tiene de contado y qué trae de más contra el básico?
=x> El {modelo} {version} está en {precio}. Con enganche de {enganche} te quedan {plazo}
  mensualidades de {mensual} aproximadamente. {fin}
  | Claro. De contado son {precio}; a {plazo} meses, con {enganche} de enganche, unos {mensual} al
  mes. Te mando la ficha técnica. [pdf ficha-{modelo}.pdf]
  | {precio} ya con IVA. Contra el básico trae pantalla de 10 pulgadas, cámara 360 y quemacocos.
  Este
  mes la placa y la tenencia van por nuestra cuenta.
?x< ¿Y en {color} lo tienen o hay que esperarlo?
  | ¿Hay disponible en {color}?
  | ¿Entrega inmediata?
&x> En {color} me llega una unidad {dia_prox}, la puedo poner a tu nombre sin compromiso.
  | Sí, tengo uno en {color} en piso y otro en camino.
  | Tenemos {color} y gris en piso; los demás tardan de dos a tres semanas.
x< {ok}, déjame checarlo con mi familia y te aviso
  | {gracias}, lo platico en casa y te digo
  | {ok}. Lo reviso hoy en la noche
x> {claro}. {fin}
  | Sin problema, {nombre}. {fin}
  | {claro}, tómate tu tiempo. Te escribo en unos días 🙂

== interes_anuncio | Ventas | campaña
x< {hola}, vi su anuncio del {modelo}. ¿Sigue la promoción?
  | {hola}, ¡quiero más información del {modelo}!
  | {hola}, ¿el {modelo} {version} en cuánto sale?
  | ¿Precio del {modelo}? 👀
=x> {holan}, ¡gracias por escribir! Soy {asesor}. Sí, sigue vigente: {precio} el {version}, con el
  seguro del primer año incluido. ¿Lo buscas de contado o a crédito?
  | {holan}, te atiende {asesor} de Colibrí {sucursal}. El {modelo} {version} está en {precio} y la
  promoción termina el {fin_mes}. ¿Ya lo viste en persona?
  | {holan}, soy {asesor}. Con gusto: {precio} la versión {version}. ¿Qué auto manejas hoy?
  | {holan}, desde {precio} 🙌 Te atiende {asesor}. ¿Sería a crédito?
=x< A crédito. Puedo dar unos {enganche}
  | Solo en fotos. Sería a crédito, ¿piden comprobar ingresos?
  | Tengo un {auto}, no sé si lo tomen a cuenta
  | Sí, aunque no tengo historial. ¿Se puede?
=x> Con eso te quedan {plazo} meses de {mensual}. Para el trámite: identificación, comprobante de
  domicilio y tres meses de estados de cuenta.
  | Se puede, la financiera pide ingresos comprobables por 3 veces la mensualidad ({mensual}).
  | Claro, lo tomamos a cuenta. Si me mandas fotos y kilometraje te doy un aproximado hoy mismo.
  | Se puede con 35 % de enganche o un aval. Quedarían unos {mensual} a {plazo} meses.
?x< Y otra cosa, ¿cuánto gasta de gasolina?
  | ¿Y la cajuela qué tal? Tengo dos niños y carriola
  | Ah, ¿y de color {color} hay?
&=x> Unos 17 km por litro combinado, medidos por nosotros en ciudad y carretera.
  | Cabe la carriola y dos maletas grandes: 430 litros.
  | Sí, tengo en {color} y en gris.
x< {ok}, {gracias_m}
  | Ah está bien, lo voy a pensar
  | Suena bien, ¿dónde están ubicados?
x> Estamos en {direccion}. Te comparto la ubicación. [foto ubicacion-{sucursal_id}.jpg]
  | Cuando gustes te esperamos en {direccion}, de lunes a viernes de 9 a 19 y sábados hasta las 14.
  | {claro}. Te aparto una cita para que lo conozcas sin compromiso, ¿te late?

== prueba | Ventas
@ 1-4d
x> {holan}, ¿qué te pareció la información del {modelo}? Tengo libre {dia} a las {hora} para una
  prueba de manejo.
  | {holan}. Me liberaron un {modelo} de demostración. ¿Te queda venir {dia} a las {hora}?
  | {holan}, soy {asesor}. ¿Te animas a manejar el {modelo}? Hay espacio {dia} a las {hora}.
x< {ok}, {dia} a las {hora} me queda. ¿Llevo algo?
  | Sí puedo, ¿en {sucursal} verdad?
  | Puedo llegar como 10 minutos tarde, ¿hay problema?
=x> Solo tu licencia vigente. Te espero en {direccion}, pregunta por {asesor}.
  | Así es, en {sucursal}. Con tu licencia basta. Ya quedó tu cita.
  | Ninguno, {nombre}. Trae tu licencia y nosotros ponemos la gasolina 😉
?x< Va a ir conmigo mi papá, ¿pueden manejarlo los dos?
  | ¿Puedo llevar a mi hija para ver si cabe la silla?
  | ¿Hay estacionamiento ahí?
&=x> Claro que sí, con gusto. {fin}
  | Por supuesto, aquí lo acomodamos {ri}
  | Sí, tenemos estacionamiento para clientes.
cita v< Prueba de manejo del {modelo} {version}, 25 minutos por Periférico. Le gustó la suspensión;
  duda por el espacio de atrás. Siguiente paso: mandar cotización con {enganche} de enganche.
  | Llegó a su cita con su familia. Manejó el {modelo} y comparó con el {modelo2}. Prefiere color
  {color}. Pide que le valuemos su {auto}. Siguiente paso: oferta por correo.
  | Visita y prueba del {modelo}. Muy buena impresión del equipo de seguridad. Pide plazo de {plazo}
  meses. Siguiente paso: llamarle {dia_prox} con la corrida.
  | Manejó el {modelo} {version}; el ruido en cabina le pareció mejor que en su {auto}. Quiere
  pensarlo el fin de semana.
2-6h x> {nombre}, gracias por venir hoy. ¿Te quedaron dudas del {modelo}?
  | Qué gusto conocerte, {nombre}. Te dejo las fotos que tomamos. [foto {modelo}-piso.jpg]
  | Gracias por la visita 🙌 En un rato te preparo los números que vimos.
x< Me encantó. Mándame los números por favor
  | {gracias}, muy buena atención. Espero la cotización
  | Está padre, solo que la mensualidad me quedaría mejor un poco más baja
=x> {claro}, hoy mismo te llegan a tu correo.
  | {ok_s} Va por correo en cuanto la autorice mi gerente.
  | Déjame ver qué consigo con gerencia y te escribo mañana.

== oferta | Ventas
e> Cotización {modelo} {version} · Colibrí {sucursal} // {holan}:¶¶Te adjunto la cotización del
  {modelo} {version} en color {color}:¶¶Precio de lista: {precio}¶Enganche: {enganche}¶{plazo}
  mensualidades de {mensual}¶¶Incluye placas, tenencia y el primer servicio. Vigencia: {fin_mes}.
  {firma} [pdf cotizacion-{folio}.pdf]
  | Tu {modelo} {version}: propuesta {folio} // {holan}:¶¶Como quedamos, va la propuesta. Precio con
  descuento: {precio2}. Si das {enganche} de enganche, la mensualidad a {plazo} meses es de
  {mensual} con tasa del {tasa} %.¶¶¿Lo revisamos por teléfono? {firma} [pdf propuesta-{folio}.pdf]
  | Propuesta {folio} del {modelo} en {color} // {holan}:¶¶Gracias por tu visita. Adjunto dos
  escenarios para el {modelo} {version}: contado en {precio2} y crédito con {enganche} de
  enganche. También va la ficha técnica.¶¶{fin} {firma} [pdf escenarios-{folio}.pdf]
  [pdf ficha-{modelo}.pdf]
2-26h e< // {hola}, {asesor}:¶¶Gracias por la información. En otra agencia me ofrecen el mismo con
  el
  seguro incluido. ¿Pueden mejorar algo? {firma_c}
  | // {asesor}, buen día.¶¶¿El precio ya trae el descuento de contado? Y por favor confírmame si la
  placa es de la Ciudad de México o del Estado. {firma_c}
  | // Recibido. ¿Cuánto tiempo tengo para apartarlo y con cuánto se aparta? {firma_c}
=e> // {holan}:¶¶Mejoramos la propuesta: {precio2} y el seguro del primer año con {aseguradora}. Es
  lo mejor que puedo conseguir este mes. {firma} [pdf cotizacion-{folio}-v2.pdf]
  | // {holan}:¶¶Sí, {precio2} ya es precio final y las placas son de la Ciudad de México. Incluye
  tapetes y película de seguridad. {firma}
  | // {holan}:¶¶Se aparta con $10,000, reembolsables durante siete días, y te lo guardo hasta el
  {fin_mes}. Hablé con mi gerente: queda en {precio2}. {firma}
3-20h l> answered 160-540
?4-30m L> Le marqué desde mi celular para cerrar detalles de la cotización {folio}. Quiere consultar
  el crédito con su banco. Siguiente paso: enviar lista de documentos.
  | Platicamos la propuesta {folio}. Acepta {precio2} si la entrega es antes del {fin_mes}. Falta
  confirmar color {color}.
  | Pidió un día más. Compara con otra agencia, la diferencia es solo el seguro.
x< {ok}, me convenció. ¿Qué sigue?
  | Ya lo platicamos en casa: sí lo queremos 😊
  | Va, lo aparto. ¿A qué cuenta deposito?
x> ¡Excelente, {nombre}! Te paso los datos para el apartado. [pdf datos-apartado.pdf]
  | ¡Qué gusto! Se aparta con $10,000, te mando la ficha de pago. [pdf ficha-pago-{folio}.pdf]
  | {ok_s} Hoy mismo meto el pedido. Te busco con los documentos que necesito.
15-70m x< ^ Listo, ya deposité [foto comprobante-{folio}.jpg]
  | Ahí va el comprobante [pdf transferencia-{folio}.pdf]
  | Hecho, ¿me confirmas cuando caiga?
x> ^ Recibido y confirmado. Tu {modelo} ya está apartado a tu nombre. {fin}
  | Confirmado, {nombre}. Pedido {folio}. {fin}
  | ¡Ya cayó! Guardo tu comprobante en el expediente.

== credito | Financiamiento
x> {holan}, soy {asesor} de Financiamiento. Para tu crédito del {modelo} necesito: INE,
  comprobante de domicilio y los últimos tres estados de cuenta.
  | {holan}, te escribe {asesor}. Llevo el trámite de tu {modelo}. ¿Me puedes mandar tu INE por
  ambos
  lados y un comprobante de domicilio?
  | {holan}, habla {asesor}, de Financiamiento. Ya tengo tu expediente; me faltan identificación y
  comprobantes de ingresos.
10-200m x< Aquí va la INE [foto ine-frente.jpg] [foto ine-reverso.jpg]
  | Te mando los documentos [pdf documentos-{nombre}.pdf]
  | Listo, INE y recibo de luz [pdf ine.pdf] [foto recibo-luz.jpg]
20-90s x< Los estados de cuenta te los paso en la noche
  | ¿Sirve el recibo del agua o tiene que ser de luz?
  | Trabajo por honorarios, ¿eso cambia algo?
=x> Recibidos, {nombre}. Con la noche está bien.
  | Sirve cualquiera, con que no pase de tres meses. {gracias_s}
  | No cambia, solo agregamos tu declaración anual.
?3-20h e< Estados de cuenta de {nombre_completo} // {hola}, {asesor}:¶¶Adjunto los tres estados de
  cuenta que faltaban. Avísame si se leen bien. {firma_c} [pdf estado-cuenta-1.pdf]
  [pdf estado-cuenta-2.pdf] [pdf estado-cuenta-3.pdf]
  | Documentos para crédito {folio} // Buen día:¶¶Envío lo pendiente para la solicitud {folio}.
  {firma_c} [pdf estados-{folio}.pdf]
&e> // {holan}:¶¶Completo. Hoy mismo entra a análisis; la respuesta tarda de uno a dos días hábiles.
  {firma}
  | // {holan}:¶¶Todo legible, gracias. Ya quedó ingresada tu solicitud {folio}. {firma}
1-2d l> answered 90-320
2-12m x> ¡Aprobado, {nombre}! {plazo} meses, tasa del {tasa} %, mensualidad de {mensual}. 🎉
  | Te confirmo por escrito: crédito autorizado por la financiera, {mensual} al mes a {plazo} meses.
  | Buenas noticias: salió tu crédito {folio}. Mensualidad final {mensual}.
x< ¡Súper! ¿Cuándo firmo?
  | Qué alivio, {gracias_m} 🙏
  | Excelente. ¿Se puede adelantar pagos sin penalización?
=x> Firmas en la entrega. Ventas te confirma fecha. {fin}
  | Felicidades 🙂 Cuando gustes pasas a firmar; toma unos 20 minutos.
  | Sin penalización desde el mes 6. La firma es el día de la entrega, ahí mismo en {sucursal}.

== entrega | Ventas
@ 2-6d
x> {nombre}, ya llegó tu {modelo} 🙌 ¿Te parece si lo entregamos {dia} a las {hora}?
  | {holan}, tu {modelo} en {color} ya está en preparación. Entrega: {dia}, {hora}. ¿Puedes?
  | ¡Ya tengo placas! Podemos entregarte {dia} a las {hora}, ¿te acomoda?
x< ¡Sí! Ahí estaré
  | {ok}, pido permiso en el trabajo
  | Sí, voy con mi familia 😊
x> Perfecto. Trae identificación original y comprobante del seguro. Calcula una hora y media.
  | Quedó agendado. Te explico todo el tablero con calma, son unos 90 minutos.
  | Hecho. Te tenemos listo el moño 🎀
1-4h S> Colibrí: tu entrega del {modelo} es {dia} a las {hora} en {sucursal}. Responde CAMBIO para
  mover la cita.
  | Colibrí {sucursal}: te esperamos {dia}, {hora}, para la entrega de tu {modelo}. Folio {folio}.
cita v< Entrega del {modelo} {version} {color}. Se explicó tablero, garantía y primer servicio.
  Firma
  de contrato y acta. Quedó pendiente el duplicado de factura.
  | Entregado el {modelo} a {nombre} y familia. Duró 80 minutos; muy contentos. Se tomaron fotos.
  Siguiente paso: llamada de cortesía en tres días.
  | Acta de entrega {folio} firmada. Pidió ayuda para ligar su teléfono. Cita del primer servicio
  a los 5,000 km.
20-90m x> ¡Felicidades por tu {modelo}, {nombre}! Te dejo la foto de la entrega. [foto
  entrega-{folio}.jpg]
  | Gracias por tu confianza 🙏 Aquí tu foto de hoy. [foto entrega-{folio}.jpg]
x< ¡Qué bonita quedó! {gracias}
  | Estamos felices, mil gracias por todo
  | 😍😍 gracias {asesor}
3-4d l> answered 60-200
5-40m L> Llamada de cortesía a tres días: todo bien con el {modelo}. Duda sobre el sensor de
  reversa, se le explicó. Acepta que le llamemos para el primer servicio.
  | Tres días después de la entrega: le encanta el consumo. Le falta la segunda llave, se le
  manda {dia_prox}.

== toma | Seminuevos
x< {hola}, quiero dejar mi {auto} a cuenta. ¿Cómo funciona?
  | {hola}, ¿en cuánto me tomarían un {auto} con {km} km?
  | ¿Ustedes compran autos? Tengo un {auto}, único dueño
x> {holan}, soy {asesor} de Seminuevos. Mándame por favor fotos de los cuatro lados, del tablero y
  de la factura.
  | Con gusto. Necesito fotos, kilometraje y saber si tiene adeudos o multas.
  | Claro que sí, {nombre}. Con fotos te doy un rango y con la revisión física el precio final.
8-120m x< [foto {placa}-frente.jpg] [foto {placa}-lado.jpg] [foto {placa}-tablero.jpg]
  | Estas son de hoy [foto {placa}-1.jpg] [foto {placa}-2.jpg]
  | Tiene un raspón en la puerta, lo demás está bien [foto raspon-puerta.jpg]
20-50s x< Placas {placa}, {km} km, sin adeudos
  | Servicios de agencia, tengo todas las facturas
  | La verificación está al corriente
x> Por lo que veo estaríamos entre {toma} y un poco más. ¿Puedes traerlo a revisión?
  | Gracias. Rango preliminar: {toma}, sujeto a inspección de 120 puntos.
  | Se ve muy bien cuidado. Te ofrecería alrededor de {toma}.
x< Esperaba un poquito más, la verdad
  | {ok}, lo llevo esta semana
  | En internet los veo más caros 🤔
=x> Te entiendo. En la revisión hay margen si las llantas y los frenos están bien.
  | Aquí te espero de 9 a 13, toma 40 minutos.
  | Los precios publicados llevan garantía y reacondicionamiento; aun así, peleo lo más que pueda.
1-4d v< Inspección del {auto} placas {placa}: carrocería 8/10, llantas a la mitad, motor sin fugas.
  Oferta final {toma}. Pide 24 horas para pensarlo.
  | Revisión de 120 puntos al {auto}. Detalle de pintura en salpicadera. Se ofrece {toma}; acepta si
  se aplica al {modelo}.
3-22h x< ^ Acepto la oferta, ¿qué papeles llevo?
  | Lo pensé y sí, déjenmelo en eso
  | De acuerdo con {toma}
x> Factura original, tenencias, verificación y baja de placas la hacemos nosotros. {fin}
  | ¡Perfecto! Trae factura, tarjeta de circulación y las dos llaves.
  | {ok_s} Preparo el contrato de compraventa a tu nombre.

== seminuevo | Seminuevos | campaña
x< {hola}, ¿sigue disponible el {usado} que publicaron?
  | {hola}, me interesa el {usado}. ¿Cuántos dueños ha tenido?
  | ¿El {usado} acepta crédito?
=x> {holan}, sí está disponible en {precio_usado}, certificado y con verificación vigente.
  | {holan}. Un solo dueño, servicios de agencia y garantía de 12 meses. Está en {precio_usado}.
  | Claro, con 30 % de enganche hasta 36 meses. Está en {precio_usado}.
?x< ¿Me mandas fotos del interior?
  | ¿Tiene algún golpe?
  | ¿Cuántos kilómetros?
&=x> Aquí van [foto interior-1.jpg] [foto interior-2.jpg]
  | Cero golpes, te paso el reporte completo. [pdf inspeccion-{folio}.pdf]
  | Tiene {km} km comprobables. [foto tablero-{folio}.jpg]
x< ¿Lo menos?
  | ¿Es precio negociable?
  | Te ofrezco un poco menos de contado, ¿se puede?
x> Llegando a verlo platicamos, siempre hay un pequeño margen.
  | De contado te puedo apoyar con la verificación y un servicio.
  | Es precio fijo, pero incluye cambio de propietario.
@ 1-3d
2-40m x< Voy {dia}, ¿a las {hora}?
  | ¿Puedo verlo {dia} a las {hora}?
x> Te lo tengo lavado y listo. Estamos en {direccion}.
  | Anotado: {dia}, {hora}. Pregunta por {asesor}.
cita v< Vino a ver el {usado}. Trajo mecánico de confianza; todo bien salvo llantas traseras. Oferta
  verbal por debajo de {precio_usado}. Siguiente paso: respuesta de gerencia.
  | Vio el {usado} y también preguntó por el {modelo}. Se lleva cotización de ambos.
?20-70m e> Inspección y precio del {usado} // {holan}:¶¶Gracias por venir. Adjunto el reporte de 120
  puntos y el historial de servicios. Precio: {precio_usado}. {firma} [pdf inspeccion-{folio}.pdf]
  | {usado}: reporte completo, folio {folio} // {holan}:¶¶Va lo prometido, con fotos de las llantas.
  {firma} [pdf reporte-{folio}.pdf]
1-3h x> Ya me autorizaron: con llantas nuevas atrás y en {precio_usado}. ¿Lo apartamos?
  | {nombre}, gerencia acepta cambiarle las llantas. ¿Cómo ves?
x< Déjame consultarlo y te confirmo
  | Va, mañana deposito
  | Me late 👍
x> {claro}. {fin}
  | ¡Gracias! Lo marco como apartado.

== chat_web | Ventas | campaña
c< {hola}, ¿tienen el {modelo} para entrega inmediata?
  | {hola}, estoy viendo su página. ¿El {modelo} {version} incluye seguro?
  | {hola}, ¿dan crédito a extranjeros?
=c> ¡Hola! Soy {asesor}. Sí, tenemos {color} y blanco en piso desde {precio}. ¿Cómo te llamas?
  | ¡Hola! Te atiende {asesor}. Este mes sí, el primer año va incluido. ¿A nombre de quién cotizo?
  | ¡Hola! Soy {asesor}. Sí, con residencia vigente. ¿Cómo te llamas y qué auto te interesa?
c< Soy {nombre}, mi correo es {correo}
  | {nombre}. Me pueden escribir a {correo}
c> Gracias, {nombre}. Te mando la cotización en unos minutos.
  | Anotado. Te llega desde ventas@colibri.example.mx.
10-40m e> Cotización del {modelo} que pediste en el chat // {holan}:¶¶Como platicamos, el {modelo}
  {version} está en {precio2} con promoción y se puede llevar con {enganche} de enganche. {firma}
  [pdf cotizacion-{folio}.pdf]
  | {modelo} {version}: precio y mensualidades // {holan}:¶¶Gracias por escribir en nuestro sitio.
  Va
  la cotización a {plazo} meses: {mensual} al mes. {firma} [pdf cotizacion-{folio}.pdf]
3-30h e< // {gracias}, lo reviso y les aviso. {firma_c}
  | // Recibido. ¿Puedo pasar a verlo sin cita? {firma_c}
=e> // {holan}:¶¶Con gusto. Quedo al pendiente. {firma}
  | // {holan}:¶¶Claro, estamos en {direccion}. Pregunta por mí. {firma}

== perdido | Ventas
5-9d x> {holan}, ¿cómo vas con la decisión del {modelo}?
  | {holan}, ¿pudiste revisar la propuesta? La vigencia es hasta el {fin_mes}.
2-30h l> no_answer 0
3-5m l> voicemail 18-35
1-2d x> {nombre}, no te quito tiempo: ¿sigo apartando la unidad en {color}?
  | Solo para saber si cierro tu folio {folio} o lo dejamos abierto 🙂
x< {hola}, una disculpa. Al final compré en otra marca, me dieron mejor tasa
  | Perdón por no contestar, por ahora no voy a cambiar de auto
  | Gracias {asesor}, se me juntaron gastos. Lo retomo el próximo año
x> Te agradezco que me avises, {nombre}. Aquí tienes tu casa cuando gustes.
  | Sin problema. ¿Me permites escribirte cuando haya mejores condiciones?
  | Entendido, gracias por la confianza. {fin}

== reactivar | Ventas | campaña
x> {holan}, soy {asesor} de Colibrí. Este mes tomamos tu {auto} a cuenta con bono de $15,000 en el
  {modelo}. ¿Te interesa una valuación?
  | {holan}, ¿sabías que tu {auto} vale más este mes? Lo tomamos a cuenta del {modelo} con tasa del
  {tasa} %.
  | {nombre}, te aviso antes que a nadie: llegan tres {modelo} {version} a precio de preventa,
  {precio2}.
1-20h x< Ahorita no, pero en unos meses sí me interesa
  | ¿De cuánto quedaría la mensualidad dando mi {auto}?
  | Mmm, ¿y el híbrido cuánto cuesta?
=x> Te guardo en mi agenda. {fin}
  | Con tu {auto} en {toma}, te quedarían {plazo} pagos de {mensual}.
  | El Cumbre Híbrida, desde {precio_hibrido}, y no verifica. ¿Te mando la comparación de gasto en
  gasolina?
?=x< {gracias}, yo te busco
  | Ah no está mal. ¿Y si doy más enganche?
  | Sí, mándamela por favor
&=x> {claro}, sin presión 🙂
  | Por cada $50,000 extra bajan unos $1,200 al mes.
  | {claro} [pdf comparativo-{modelo}.pdf]
"""
